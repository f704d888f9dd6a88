#!/bin/sh
# Builds the kernels with the sanitizers of addresses and of undefined behaviour, and runs the tests on that build.
# Needs an environment in which `pip install ./native[test]` has run, with cmake, ninja, onednn-cpu-gomp and
# onednn-devel-cpu-gomp:
#
#     sh tests/sanitize.sh [arguments for pytest]
#     LAMINA_NATIVE_SHAPES=$(date +%s):50 sh tests/sanitize.sh    # and 50 random shapes of each kind, by this seed
#
# The library it builds stays in a directory of its own; LAMINA_NATIVE_LIBRARY tells lamina_native to load that one.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
build=${LAMINA_SANITIZE_BUILD:-$(mktemp -d)}
cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLAMINA_SANITIZE=address,undefined \
    -DPython_EXECUTABLE="$(command -v python)"
cmake --build "$build"

# CPython and JAX keep what they allocate, so leaks are not looked for. Python itself is not built with the sanitizer,
# so the sanitizer's library is loaded before all others.
export LAMINA_NATIVE_LIBRARY="$build/liblamina_native.so"
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"
preload=$(for name in asan ubsan stdc++; do g++ -print-file-name="lib$name.so"; done)
LD_PRELOAD=$(echo $preload) \
    exec python -m pytest "$here/tests" -p no:cacheprovider "$@"
