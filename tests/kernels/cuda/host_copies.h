// Asynchronous copies to shared memory, delivered as late as the hardware may.
#pragma once

namespace host {

struct Copy {
  void* target;
  const void* source;
  int n_bytes, n_valid;  // the bytes from n_valid on become 0
};

using Group = std::vector<Copy>;

static std::vector<std::vector<Group>> copies;  // by thread, then by group; the last group is open

inline void reset_copies() { copies.assign(fibers.size(), {Group()}); }

inline std::vector<Group>& own_copies() { return copies[current->warp * LANES + current->lane]; }

// cp.async. The target is poison until this thread has waited for the group.
inline void copy_async(void* target, const void* source, int n_bytes, int n_valid) {
  if (n_bytes != 4 && n_bytes != 8 && n_bytes != 16) fail("cp.async of %d bytes", n_bytes);
  if (n_valid < 0 || n_valid > n_bytes) fail("cp.async: %d of %d bytes", n_valid, n_bytes);
  if ((uintptr_t)target % n_bytes || (uintptr_t)source % n_bytes) {
    fail("cp.async: an address is not a multiple of %d", n_bytes);
  }
  own_copies().back().push_back({target, source, n_bytes, n_valid});
  memset(target, launch->poison, n_bytes);
}

// cp.async.commit_group
inline void commit_copies() { own_copies().emplace_back(); }

// cp.async.wait_group: until no more than n_pending of the groups committed last are under way.
inline void wait_copies(int n_pending) {
  std::vector<Group>& groups = own_copies();
  while ((int)groups.size() - 1 > n_pending) {
    for (const Copy& copy : groups.front()) {
      memset(copy.target, 0, copy.n_bytes);
      if (copy.n_valid) memcpy(copy.target, copy.source, copy.n_valid);
    }
    groups.erase(groups.begin());
  }
}

}  // namespace host
