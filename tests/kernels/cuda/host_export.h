// What host_compiler.py calls: for each kernel a function that launches it, and its signature.
#pragma once

namespace host {

// One letter and a size: "f4" float, "i8" long long, "u4" unsigned, "b1" bool, "s2" a struct of two
// bytes, "pf4" a pointer to floats, "pv0" a pointer to void.
template <class Type>
void describe(char* text) {
  using Plain = std::remove_cv_t<Type>;
  if constexpr (std::is_pointer_v<Plain>) {
    *text = 'p';
    describe<std::remove_pointer_t<Plain>>(text + 1);
  } else {
    const char kind = std::is_same_v<Plain, bool>      ? 'b'
                      : std::is_floating_point_v<Plain> ? 'f'
                      : std::is_signed_v<Plain>         ? 'i'
                      : std::is_unsigned_v<Plain>       ? 'u'
                      : std::is_void_v<Plain>           ? 'v'
                                                        : 's';
    if constexpr (std::is_void_v<Plain>) {
      snprintf(text, 8, "%c0", kind);
    } else {
      snprintf(text, 8, "%c%zu", kind, sizeof(Plain));
    }
  }
}

template <class... Parameters>
const char* signature(void (*)(Parameters...)) {
  static char text[1000];
  text[0] = 0;
  ((describe<Parameters>(text + strlen(text)), strcat(text, " ")), ...);
  return text;
}

static void** arguments;  // addresses of the arguments of the launch

template <auto kernel, class... Parameters, size_t... index>
void call(void (*)(Parameters...), std::index_sequence<index...>) {
  kernel(*(std::remove_cv_t<Parameters>*)arguments[index]...);
}

template <auto kernel, class... Parameters>
void call_it(void (*pointer)(Parameters...)) {
  call<kernel>(pointer, std::index_sequence_for<Parameters...>());
}

template <auto kernel>
const char* launch_kernel(const Launch* asked, void** addresses) {
  arguments = addresses;
  return run(asked, [] { call_it<kernel>(kernel); });
}

inline int first_of(int first, int = 0, int = 0) { return first; }

}  // namespace host

#define HOST_VISIBLE extern "C" __attribute__((visibility("default")))

// bounds: the arguments of __launch_bounds__, 1024 where there is none.
#define HOST_EXPORT(kernel, ...)                                                               \
  HOST_VISIBLE const char* host_launch_##kernel(const host::Launch* asked, void** addresses) { \
    return host::launch_kernel<kernel>(asked, addresses);                                      \
  }                                                                                            \
  HOST_VISIBLE const char* host_signature_##kernel() { return host::signature(kernel); }       \
  HOST_VISIBLE int host_bounds_##kernel() { return host::first_of(__VA_ARGS__); }
