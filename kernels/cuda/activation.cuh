// Activations: of(z), and slope(kept), the derivative at what the forward pass has kept: y where
// KEEPS_Y, else z. X: float or double. Formulas are those of nn/activation.py, the definitions.
#pragma once

__device__ __forceinline__ float hyperbolic_tangent(float x) { return tanhf(x); }
__device__ __forceinline__ double hyperbolic_tangent(double x) { return tanh(x); }
__device__ __forceinline__ float error_function(float x) { return erff(x); }
__device__ __forceinline__ double error_function(double x) { return erf(x); }

constexpr double ROOT_HALF = 0.70710678118654752440;
constexpr double ROOT_2_OVER_PI = 0.79788456080286535588;
constexpr double CUBIC = 0.044715;  // of the tanh approximation of gelu
constexpr double SLOPE = 0.01;      // of leaky_relu

// 1 / (1 + exp(-z)): where exp is infinite it is 0, as it should be.
template <class X>
__device__ __forceinline__ X logistic(X z) {
  return X(1) / (X(1) + exponential(-z));
}

struct Identity {
  static constexpr bool KEEPS_Y = true;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z; }
  template <class X>
  static __device__ __forceinline__ X slope(X) { return X(1); }
};

struct Relu {
  static constexpr bool KEEPS_Y = true;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z < X(0) ? X(0) : z; }  // NaN stays
  template <class X>
  static __device__ __forceinline__ X slope(X y) { return y > X(0) ? X(1) : X(0); }
};

struct LeakyRelu {  // y has the sign of z
  static constexpr bool KEEPS_Y = true;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z > X(0) ? z : X(SLOPE) * z; }
  template <class X>
  static __device__ __forceinline__ X slope(X y) { return y > X(0) ? X(1) : X(SLOPE); }
};

struct Sigmoid {
  static constexpr bool KEEPS_Y = true;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return logistic(z); }
  template <class X>
  static __device__ __forceinline__ X slope(X y) { return y * (X(1) - y); }
};

struct Tanh {
  static constexpr bool KEEPS_Y = true;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return hyperbolic_tangent(z); }
  template <class X>
  static __device__ __forceinline__ X slope(X y) { return X(1) - y * y; }
};

struct Silu {  // z s, s = logistic(z); its slope s + z s (1 - s)
  static constexpr bool KEEPS_Y = false;
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z * logistic(z); }
  template <class X>
  static __device__ __forceinline__ X slope(X z) {
    const X s = logistic(z);
    return s * (X(1) + z * (X(1) - s));
  }
};

struct Gelu {  // z Phi(z); its slope Phi(z) + z phi(z), Phi and phi of the normal distribution
  static constexpr bool KEEPS_Y = false;
  template <class X>
  static __device__ __forceinline__ X probability(X z) {
    return X(0.5) * (X(1) + error_function(z * X(ROOT_HALF)));
  }
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z * probability(z); }
  template <class X>
  static __device__ __forceinline__ X slope(X z) {
    const X density = X(0.5 * ROOT_2_OVER_PI) * exponential(X(-0.5) * z * z);
    return probability(z) + z * density;
  }
};

// z (1 + tanh u) / 2 with u = sqrt(2 / pi) (z + CUBIC z^3). As (1 + tanh u) / 2 = logistic(2 u), it
// is z s with s = logistic(w), w = 2 u, and its slope s + z s (1 - s) dw/dz.
struct GeluTanh {
  static constexpr bool KEEPS_Y = false;
  template <class X>
  static __device__ __forceinline__ X weight(X z) {
    return logistic(z * (X(2 * ROOT_2_OVER_PI) + X(2 * ROOT_2_OVER_PI * CUBIC) * z * z));
  }
  template <class X>
  static __device__ __forceinline__ X of(X z) { return z * weight(z); }
  template <class X>
  static __device__ __forceinline__ X slope(X z) {
    const X s = weight(z);
    const X dw = X(2 * ROOT_2_OVER_PI) + X(6 * ROOT_2_OVER_PI * CUBIC) * z * z;
    return s * (X(1) + z * (X(1) - s) * dw);
  }
};
