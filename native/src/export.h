// What Python finds in the library, where all else is hidden.
#pragma once

#define LAMINA_EXPORT extern "C" __attribute__((visibility("default")))
