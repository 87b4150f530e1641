// What the lanes of a warp do together: shuffles, votes, and the exchange that tensor cores need.
#pragma once

namespace host {

constexpr size_t BROUGHT = 64;  // bytes that a lane may bring to a meeting

// brought: by the lanes that wait; given: by the lanes of the last meeting, for the others to read.
// A lane reads before it waits again, and a meeting ends when no lane runs: `given` is never
// overwritten before it was read.
struct Warp {
  unsigned char brought[LANES][BROUGHT];
  unsigned char given[LANES][BROUGHT];
};

static std::vector<Warp> warps;

inline void reset_warps() { warps.assign((fibers.size() + LANES - 1) / LANES, Warp{}); }

// The lanes that a meeting still waits for; those that returned are not waited for.
inline unsigned missing(const Fiber& waiting) {
  unsigned lanes = 0;
  for (int lane = 0; lane < warp_size(waiting.warp); lane++) {
    const Fiber& other = fibers[waiting.warp * LANES + lane];
    const bool is_here = other.state == State::meeting && other.mask == waiting.mask;
    if (!is_here && other.state != State::finished) lanes |= 1u << lane;
  }
  return lanes & waiting.mask;
}

inline void end_meeting(const Fiber& first) {
  Warp& warp = warps[first.warp];
  const unsigned mask = first.mask;
  const Place place = first.place;
  for (int lane = 0; lane < LANES; lane++) {
    if (!(mask >> lane & 1)) continue;
    memset(warp.given[lane], launch->poison, BROUGHT);  // of a lane that has returned
    if (lane >= warp_size(first.warp)) continue;
    Fiber& fiber = fibers[first.warp * LANES + lane];
    if (fiber.state != State::meeting) continue;
    if (strcmp(fiber.place.what, place.what)) {
      return fail("lanes of a warp meet in different places: %s and %s", place.what,
                  fiber.place.what);
    }
    memcpy(warp.given[lane], warp.brought[lane], BROUGHT);
    fiber.state = State::running;
  }
}

inline bool end_meetings(int warp) {
  bool progress = false;
  for (int lane = 0; lane < warp_size(warp) && !error[0]; lane++) {
    const Fiber& fiber = fibers[warp * LANES + lane];
    if (fiber.state != State::meeting || missing(fiber)) continue;
    end_meeting(fiber);
    progress = true;
  }
  return progress;
}

// What each lane brought, by lane; the poison for a lane that took no part.
template <class Value>
struct Brought {
  unsigned mask;
  Value operator[](int lane) const {
    Value value;
    if (mask >> lane & 1) {
      memcpy(&value, warps[current->warp].given[lane], sizeof value);
    } else {
      memset(&value, launch->poison, sizeof value);
    }
    return value;
  }
};

// All lanes of the mask bring a value; each may then read the others', before it meets again.
template <class Value>
Brought<Value> exchange(const Value& value, const char* what = "a warp operation",
                        unsigned mask = 0xffffffffu) {
  static_assert(sizeof value <= BROUGHT && std::is_trivially_copyable_v<Value>);
  if (!(mask >> current->lane & 1)) fail("%s: lane %d is not in its mask", what, current->lane);
  memcpy(warps[current->warp].brought[current->lane], &value, sizeof value);
  current->mask = mask;
  wait(State::meeting, {what, "a warp", 0});
  return {mask};
}

// The value of lane `source`, if it is in this lane's segment of `width` lanes, else one's own.
template <class Value>
Value from_lane(unsigned mask, Value value, int source, int width, const char* what) {
  const auto lanes = exchange(value, what, mask);
  const int first = current->lane & ~(width - 1);
  return source < first || source >= first + width ? value : lanes[source];
}

inline unsigned ballot(unsigned mask, bool vote, const char* what) {
  const auto votes = exchange(vote, what, mask);
  unsigned result = 0;
  for (int lane = 0; lane < LANES; lane++) {
    const Fiber* fiber = &fibers[current->warp * LANES];
    const bool is_there = lane < warp_size(current->warp) && (mask >> lane & 1);
    if (is_there && fiber[lane].state != State::finished && votes[lane]) result |= 1u << lane;
  }
  return result;
}

}  // namespace host

inline void __syncwarp(unsigned mask = 0xffffffffu) { host::exchange(0, "__syncwarp", mask); }

template <class Value>
Value __shfl_sync(unsigned mask, Value value, int source, int width = 32) {
  const int first = host::current->lane & ~(width - 1);
  return host::from_lane(mask, value, first + (source & (width - 1)), width, "__shfl_sync");
}

template <class Value>
Value __shfl_xor_sync(unsigned mask, Value value, int bits, int width = 32) {
  return host::from_lane(mask, value, host::current->lane ^ bits, width, "__shfl_xor_sync");
}

template <class Value>
Value __shfl_down_sync(unsigned mask, Value value, unsigned offset, int width = 32) {
  const int source = host::current->lane + (int)offset;
  return host::from_lane(mask, value, source, width, "__shfl_down_sync");
}

template <class Value>
Value __shfl_up_sync(unsigned mask, Value value, unsigned offset, int width = 32) {
  const int source = host::current->lane - (int)offset;
  return host::from_lane(mask, value, source, width, "__shfl_up_sync");
}

inline unsigned __ballot_sync(unsigned mask, int vote) {
  return host::ballot(mask, vote != 0, "__ballot_sync");
}

inline int __any_sync(unsigned mask, int vote) {
  return host::ballot(mask, vote != 0, "__any_sync") != 0;
}

inline int __all_sync(unsigned mask, int vote) {
  return host::ballot(mask, vote == 0, "__all_sync") == 0;
}
