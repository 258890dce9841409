// The pager map: a window of the kernel's addresses, counted in pages, in which pages stand while
// they go to a store or come from it. Stores reach frames through it alone, so it bounds how much
// is under way at once.
//
//   |<-------- for every transfer -------->|<- reserve: for the laundry ->|
//
// What is mapped in is mapped out again without waiting for anything but the store, so waits for
// room end. The laundry need not wait behind those for whom it frees pages: the reserve has a
// cluster for each of its threads.
//
// Thread safety: all functions may be called by any thread. The lock is a leaf, the interlock of
// the sleeps, and not held over a transfer. Whoever finds no room says so under it, and whoever
// makes room looks under it, so no wakeup is missed.
//
// Follows uvm_pager.c:121 (uvm_pagermapin), :204 (uvm_pagermapout).
#ifndef VM_PAGER_PAGER_MAP_H_
#define VM_PAGER_PAGER_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/lock_roles.h"
#include "vm/page.h"
#include "vm/pager/pager.h"

namespace vm {

class System;

class PagerMap {
 public:
  static constexpr std::uint32_t kNoPlace = ~0u;
  // Places for every transfer: a quarter of the machine, from one cluster to 4 MiB of 4 KiB pages.
  static constexpr std::uint32_t kMostPlaces = 1024;

  explicit PagerMap(System& system);

  // Maps `pages`, at most kClusterPages, at places that follow one another, fills `bytes` with what
  // is reached there, and returns the first place; kNoPlace only for MapIn::kTry. The caller has
  // the pages busy until it maps them out, and maps nothing else in before.
  //   locked on entry and return: nothing but sleepable locks. Sleeps, unless kTry.
  std::uint32_t In(std::span<Page* const> pages, MapIn how, std::span<std::byte>* bytes)
      LOCKING_EXCLUDES(lock_);
  // INV-55 if something else stands there. Wakes who waits for room.
  void Out(std::uint32_t place, std::span<Page* const> pages) LOCKING_EXCLUDES(lock_);

  std::uint32_t places() const { return reserve_; }  // for every transfer
  // For sweeps: places in use, of the reserve too; whether somebody sleeps for room.
  std::uint32_t mapped() const LOCKING_EXCLUDES(lock_);
  bool wanted() const LOCKING_EXCLUDES(lock_);

 private:
  std::uint32_t Find(std::size_t count, MapIn how) const LOCKING_REQUIRES(lock_);
  // The first `count` free places that follow one another in [from, to), the first of them at a
  // multiple of `step` from there.
  std::uint32_t FindRun(std::uint32_t from, std::uint32_t to, std::uint32_t step,
                        std::size_t count) const LOCKING_REQUIRES(lock_);

  System& system_;
  const std::uint32_t reserve_;  // where it begins
  mutable MutexRole lock_;
  std::vector<Page*> pages_ LOCKING_GUARDED_BY(lock_);  // by place; nullptr: free
  bool wanted_ LOCKING_GUARDED_BY(lock_) = false;
  char room_channel_ = 0;
};

// Pages that stand in the pager map while this lives.
class PagerWindow {
 public:
  PagerWindow(PagerMap& map, std::span<Page* const> pages, MapIn how)
      : map_(map), pages_(pages), place_(map.In(pages, how, bytes_.data())) {}
  ~PagerWindow() {
    if (mapped()) map_.Out(place_, pages_);
  }
  PagerWindow(const PagerWindow&) = delete;

  // False only for MapIn::kTry.
  bool mapped() const { return place_ != PagerMap::kNoPlace; }
  // Of each page.
  std::span<const std::span<std::byte>> bytes() const { return {bytes_.data(), pages_.size()}; }

 private:
  PagerMap& map_;
  const std::span<Page* const> pages_;
  std::array<std::span<std::byte>, kClusterPages> bytes_;
  const std::uint32_t place_;
};

}  // namespace vm

#endif  // VM_PAGER_PAGER_MAP_H_
