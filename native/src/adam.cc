// One step of Adam for many variables: each number of each is read and written once.
#include <algorithm>
#include <cmath>
#include <vector>

#include "calls.h"
#include "processors.h"

namespace lamina {

namespace {

struct Moved {
  const float *value, *gradient, *momentum, *velocity;
  float *new_value, *new_momentum, *new_velocity;
  int64_t count;
};

LAMINA_EVERY_PROCESSOR void move(const Moved& moved, int64_t first, int64_t last, float rate, float share_1,
                                 float share_2, float epsilon) {
#pragma GCC ivdep  // a result may lie where an argument of the same variable lay, number upon number
  for (int64_t i = first; i < last; ++i) {
    const float gradient = moved.gradient[i];
    const float momentum = moved.momentum[i] + share_1 * (gradient - moved.momentum[i]);
    const float velocity = moved.velocity[i] + share_2 * (gradient * gradient - moved.velocity[i]);
    moved.new_momentum[i] = momentum;
    moved.new_velocity[i] = velocity;
    moved.new_value[i] = moved.value[i] - rate * momentum / (std::sqrt(velocity) + epsilon);
  }
}

// Arguments are, of all variables in turn, the values, then the gradients, momenta and velocities; results the values,
// momenta and velocities.
ffi::Error adam(ffi::ThreadPool threads, ffi::AnyBuffer rate, ffi::RemainingArgs arguments,
                ffi::RemainingRets results, double share_1, double share_2, double epsilon) {
  return guarded([&] {
    const size_t variables = results.size() / 3;
    std::vector<Moved> all;
    int64_t total = 0;
    const auto from = [&](size_t place) { return floats(arguments.get<ffi::AnyBuffer>(place).value()); };
    const auto to = [&](size_t place) {
      ffi::Result<ffi::AnyBuffer> result = results.get<ffi::AnyBuffer>(place).value();
      return floats(result);
    };
    for (size_t i = 0; i < variables; ++i) {
      const auto count = static_cast<int64_t>(arguments.get<ffi::AnyBuffer>(i).value().element_count());
      all.push_back({from(i), from(variables + i), from(2 * variables + i), from(3 * variables + i), to(i),
                     to(variables + i), to(2 * variables + i), count});
      total += count;
    }
    constexpr int64_t least = 16384;  // numbers of a part: about 10 microseconds
    const Team team(threads, 50.0 * static_cast<double>(total));
    const int64_t parts = std::clamp<int64_t>(total / least, 1, 4 * team.size());
    team.run(parts, [&](int64_t part) {
      int64_t begin = total * part / parts, end = total * (part + 1) / parts;
      for (const Moved& moved : all) {  // begin and end count from the variable's own first number
        if (begin < moved.count && end > 0)
          move(moved, std::max<int64_t>(begin, 0), std::min(end, moved.count), *floats(rate),
               static_cast<float>(share_1), static_cast<float>(share_2), static_cast<float>(epsilon));
        begin -= moved.count;
        end -= moved.count;
      }
    });
  });
}

}  // namespace

}  // namespace lamina

LAMINA_HANDLER(lamina_adam, lamina::adam,
               LAMINA_BIND
                   .Arg<xla::ffi::AnyBuffer>()
                   .RemainingArgs()
                   .RemainingRets()
                   .Attr<double>("share_1")
                   .Attr<double>("share_2")
                   .Attr<double>("epsilon"));
