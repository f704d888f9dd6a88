// Programs of little work: operations on arrays of a few numbers, listed once, run in one call from Python and on its
// thread. What XLA does around a program takes longer than all that these compute.
#include <xmmintrin.h>

#include <cmath>
#include <new>

#include "export.h"
#include "own_loops.h"
#include "primitives.h"
#include "processors.h"
#include "vectors.h"

namespace lamina {

namespace {

// Their places are those of `KINDS` in python/lamina_native/small_programs.py.
enum class Kind : int64_t {
  copy, negative, magnitude, exp, exp_less_one, log, log_one_more, tanh, logistic, sqrt, rsqrt, erf, erfc,
  add, subtract, multiply, divide, larger, smaller, power,
  greater, greater_equal, less, less_equal, equal, not_equal,
  select,
  add_up, largest, smallest,
  product, dots,
};

constexpr int rank = 5;

// An array: from which place of the memory on, and the steps from one element to the next along each axis.
struct Array {
  int64_t place, steps[rank];
};

// As Python lays it out. The sizes of products are outer, rows, parts, inner (`plain::Rows`, with the first three steps
// of the left side) and columns.
struct Operation {
  int64_t kind, sizes[rank];
  Array result, operands[3];
};

struct Larger {
  float operator()(float a, float b) const { return a > b || a != a ? a : b; }
};
struct Smaller {
  float operator()(float a, float b) const { return a < b || a != a ? a : b; }
};
struct Sum {
  float operator()(float a, float b) const { return a + b; }
};

// Infinity where the result is no number that there is, as `power_of_e` has none.
[[gnu::always_inline]] inline float exp_of(float x) {
  constexpr float two_powers = 7.38905609893065f;
  return x > 87.0f ? power_of_e(x - 2) * two_powers : power_of_e(x);
}

// Two axes of an operation, the inner ones: where its arrays begin there, and their steps.
struct Plane {
  struct Side {
    float* first;
    int64_t row_step, step;

    float* row(int64_t row) const { return first + row * row_step; }
  };
  int64_t rows, count;
  Side y, a, b, c;
};

// y = of(a). Rows side by side and single numbers have loops of their own, which run on vectors.
template <typename Of>
[[gnu::always_inline]] inline void one(const Plane& on, Of of) {
  for (int64_t row = 0; row < on.rows; ++row) {
    float* const y = on.y.row(row);
    const float* const a = on.a.row(row);
    if (on.y.step == 1 && on.a.step == 1)
      for (int64_t i = 0; i < on.count; ++i) y[i] = of(a[i]);
    else
      for (int64_t i = 0; i < on.count; ++i) y[i * on.y.step] = of(a[i * on.a.step]);
  }
}

// y = of(a, b).
template <typename Of>
[[gnu::always_inline]] inline void two(const Plane& on, Of of) {
  for (int64_t row = 0; row < on.rows; ++row) {
    float* const y = on.y.row(row);
    const float *const a = on.a.row(row), *const b = on.b.row(row);
    if (on.y.step == 1 && on.a.step == 1 && on.b.step == 1)
      for (int64_t i = 0; i < on.count; ++i) y[i] = of(a[i], b[i]);
    else if (on.y.step == 1 && on.a.step == 1 && on.b.step == 0)
      for (int64_t i = 0; i < on.count; ++i) y[i] = of(a[i], *b);
    else
      for (int64_t i = 0; i < on.count; ++i) y[i * on.y.step] = of(a[i * on.a.step], b[i * on.b.step]);
  }
}

// y = of(y, a): along an axis that is left out of the result (its step is 0), or beside it.
template <typename Of>
[[gnu::always_inline]] inline void fold(const Plane& on, Of of) {
  constexpr int64_t lanes = 16;
  for (int64_t row = 0; row < on.rows; ++row) {
    float* const y = on.y.row(row);
    const float* const a = on.a.row(row);
    if (on.y.step == 1 && on.a.step == 1) {
      for (int64_t i = 0; i < on.count; ++i) y[i] = of(y[i], a[i]);
    } else if (on.y.step == 0 && on.a.step == 1 && on.count >= lanes) {
      float parts[lanes];
      std::copy_n(a, lanes, parts);
      int64_t i = lanes;
      for (; i + lanes <= on.count; i += lanes)
        for (int64_t lane = 0; lane < lanes; ++lane) parts[lane] = of(parts[lane], a[i + lane]);
      for (; i < on.count; ++i) parts[0] = of(parts[0], a[i]);
      for (int64_t lane = 0; lane < lanes; ++lane) *y = of(*y, parts[lane]);
    } else {
      for (int64_t i = 0; i < on.count; ++i) y[i * on.y.step] = of(y[i * on.y.step], a[i * on.a.step]);
    }
  }
}

template <typename Of>
[[gnu::always_inline]] inline void whether(const Plane& on, Of of) {
  two(on, [=](float p, float q) { return of(p, q) ? 1.0f : 0.0f; });
}

[[gnu::always_inline]] inline void select(const Plane& on) {
  for (int64_t row = 0; row < on.rows; ++row)
    for (int64_t i = 0; i < on.count; ++i)
      on.y.row(row)[i * on.y.step] = on.a.row(row)[i * on.a.step] != 0 ? on.c.row(row)[i * on.c.step]
                                                                       : on.b.row(row)[i * on.b.step];
}

LAMINA_EVERY_PROCESSOR
void run_plane(Kind kind, const Plane& on) {
  switch (kind) {
    case Kind::copy: return one(on, [](float p) { return p; });
    case Kind::negative: return one(on, [](float p) { return -p; });
    case Kind::magnitude: return one(on, [](float p) { return std::fabs(p); });
    case Kind::exp: return one(on, [](float p) { return exp_of(p); });
    case Kind::exp_less_one: return one(on, [](float p) { return std::expm1(p); });
    case Kind::log: return one(on, [](float p) { return std::log(p); });
    case Kind::log_one_more: return one(on, [](float p) { return std::log1p(p); });
    case Kind::tanh: return one(on, [](float p) { return tanh_of(p); });
    case Kind::logistic: return one(on, [](float p) { return 1.0f / (1.0f + exp_of(-p)); });
    case Kind::sqrt: return one(on, [](float p) { return std::sqrt(p); });
    case Kind::rsqrt: return one(on, [](float p) { return 1.0f / std::sqrt(p); });
    case Kind::erf: return one(on, [](float p) { return std::erf(p); });
    case Kind::erfc: return one(on, [](float p) { return std::erfc(p); });
    case Kind::add: return two(on, Sum());
    case Kind::subtract: return two(on, [](float p, float q) { return p - q; });
    case Kind::multiply: return two(on, [](float p, float q) { return p * q; });
    case Kind::divide: return two(on, [](float p, float q) { return p / q; });
    case Kind::larger: return two(on, Larger());
    case Kind::smaller: return two(on, Smaller());
    case Kind::power: return two(on, [](float p, float q) { return std::pow(p, q); });
    case Kind::greater: return whether(on, [](float p, float q) { return p > q; });
    case Kind::greater_equal: return whether(on, [](float p, float q) { return p >= q; });
    case Kind::less: return whether(on, [](float p, float q) { return p < q; });
    case Kind::less_equal: return whether(on, [](float p, float q) { return p <= q; });
    case Kind::equal: return whether(on, [](float p, float q) { return p == q; });
    case Kind::not_equal: return whether(on, [](float p, float q) { return p != q; });
    case Kind::select: return select(on);
    case Kind::add_up: return fold(on, Sum());
    case Kind::largest: return fold(on, Larger());
    case Kind::smallest: return fold(on, Smaller());
    case Kind::product: case Kind::dots: return;
  }
}

void run(const Operation& what, float* memory) {
  const Kind kind = static_cast<Kind>(what.kind);
  const Array &y = what.result, &a = what.operands[0], &b = what.operands[1], &c = what.operands[2];
  const int64_t* sizes = what.sizes;
  if (kind == Kind::product || kind == Kind::dots) {
    const plain::Rows rows{sizes[0], sizes[1], sizes[2], sizes[3], a.steps[0], a.steps[1], a.steps[2]};
    const auto compute = kind == Kind::product ? plain::product : plain::dots;
    return compute(rows, sizes[4], memory + a.place, memory + b.place, memory + y.place);
  }
  for (int64_t i = 0; i < sizes[0]; ++i)
    for (int64_t j = 0; j < sizes[1]; ++j)
      for (int64_t k = 0; k < sizes[2]; ++k) {
        const auto side = [&](const Array& of) {
          const int64_t place = of.place + i * of.steps[0] + j * of.steps[1] + k * of.steps[2];
          return Plane::Side{memory + place, of.steps[3], of.steps[4]};
        };
        run_plane(kind, {sizes[3], sizes[4], side(y), side(a), side(b), side(c)});
      }
}

// Within its life numbers too small to be normal are zeros, as in programs of XLA.
class WithoutTinyNumbers {
 public:
  WithoutTinyNumbers() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~WithoutTinyNumbers() { _mm_setcsr(before_); }
  WithoutTinyNumbers(const WithoutTinyNumbers&) = delete;
  WithoutTinyNumbers& operator=(const WithoutTinyNumbers&) = delete;

 private:
  const unsigned before_;
};

}  // namespace

}  // namespace lamina

// Whether such programs run here: their products hold sums in wide registers.
LAMINA_EXPORT int lamina_has_small_programs() { return lamina::has_avx512(); }

// The only memory that this needs of the system is what a product lays out: 1 where there is none left.
LAMINA_EXPORT int lamina_run_small_program(const lamina::Operation* operations, int64_t count, float* memory) {
  const lamina::WithoutTinyNumbers within;
  try {
    for (int64_t i = 0; i < count; ++i) lamina::run(operations[i], memory);
    return 0;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}
