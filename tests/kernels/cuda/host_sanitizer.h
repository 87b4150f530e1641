// What g++ -fsanitize=... calls: undefined behaviour ends the launch with its place in the text.
#pragma once

namespace host {

// How the compiler describes a place and a check: the layout of GCC's libubsan.
struct SourcePlace {
  const char* file;
  unsigned line, column;
};

struct TypeMismatch {
  SourcePlace place;
  const void* type;
  unsigned char log_of_alignment, access;
};

inline void undefined(const void* check, const char* what) {
  const SourcePlace& place = *(const SourcePlace*)check;  // every check begins with its place
  fail("%s at %s:%u", what, place.file, place.line);
}

}  // namespace host

#define HOST_CHECK(name, what)                                               \
  extern "C" void __ubsan_handle_##name(void* check, uintptr_t, uintptr_t) { \
    host::undefined(check, what);                                            \
  }

HOST_CHECK(out_of_bounds, "an index outside of its array")
HOST_CHECK(add_overflow, "a signed sum overflows")
HOST_CHECK(sub_overflow, "a signed difference overflows")
HOST_CHECK(mul_overflow, "a signed product overflows")
HOST_CHECK(negate_overflow, "a negation overflows")
HOST_CHECK(divrem_overflow, "a division by zero, or one that overflows")
HOST_CHECK(shift_out_of_bounds, "a shift by more bits than there are")

extern "C" void __ubsan_handle_type_mismatch_v1(void* check, uintptr_t address) {
  const auto& mismatch = *(const host::TypeMismatch*)check;
  const unsigned alignment = 1u << mismatch.log_of_alignment;
  if (address == 0) {
    host::undefined(check, "a null pointer is used");
  } else if (address % alignment) {
    host::fail("a misaligned address, not a multiple of %u, at %s:%u", alignment,
               mismatch.place.file, mismatch.place.line);
  } else {
    host::undefined(check, "an address outside of its array");
  }
}
