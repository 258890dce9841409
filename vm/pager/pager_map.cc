#include "vm/pager/pager_map.h"

#include <algorithm>
#include <string>

#include "locking/resource.h"
#include "vm/laundry.h"
#include "vm/lock_classes.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr std::uint32_t kReservePlaces = kLaundryThreads * kClusterPages;

std::uint32_t PlacesFor(std::uint32_t pages) {
  return std::clamp(pages / 4, kClusterPages, PagerMap::kMostPlaces);
}

}  // namespace

PagerMap::PagerMap(System& system)
    : system_(system),
      reserve_(PlacesFor(system.config().pages)),
      lock_(kPagerMapLock, 0, system.giant()),
      pages_(reserve_ + kReservePlaces) {}

std::uint32_t PagerMap::FindRun(std::uint32_t from, std::uint32_t to, std::uint32_t step,
                                std::size_t count) const {
  for (std::uint32_t first = from; first + count <= to;) {
    std::uint32_t free = 0;
    while (free < count && pages_[first + free] == nullptr) ++free;
    if (free == count) return first;
    first += (free / step + 1) * step;
  }
  return kNoPlace;
}

std::uint32_t PagerMap::Find(std::size_t count, MapIn how) const {
  const std::uint32_t place = FindRun(0, reserve_, 1, count);
  if (place != kNoPlace || how != MapIn::kLaundry) return place;
  return FindRun(reserve_, reserve_ + kReservePlaces, kClusterPages, count);
}

std::uint32_t PagerMap::In(std::span<Page* const> pages, MapIn how, std::span<std::byte>* bytes) {
  Require(!pages.empty() && pages.size() <= kClusterPages, "PAGER",
          "a transfer is empty or too large");
  RoleGuard guard(lock_);
  std::uint32_t place;
  while ((place = Find(pages.size(), how)) == kNoPlace) {
    if (how == MapIn::kTry) return kNoPlace;
    wanted_ = true;
    system_.counters().Add(Event::kPagerMapWait);
    system_.sleep_queue()
        .SleepKeep(&room_channel_, lock_, {.resource_class = &kPagerMapRoom, .message = "pgrmap"})
        .AndRetry();
  }
  for (std::uint32_t i = 0; i < pages.size(); ++i) {
    Require(pages_[place + i] == nullptr, "INV-55", "pages are mapped in over others");
    pages_[place + i] = pages[i];
    bytes[i] = system_.FrameBytes(*pages_[place + i]);
  }
  locking::HoldResource(&room_channel_, kPagerMapRoom, 0, locking::LockMode::kShared);
  return place;
}

void PagerMap::Out(std::uint32_t place, std::span<Page* const> pages) {
  RoleGuard guard(lock_);
  for (std::uint32_t i = 0; i < pages.size(); ++i) {
    const Page* there = pages_[place + i];
    Require(there == pages[i], "INV-55", [&] {
      return "frame " + std::to_string(pages[i]->frame) + " is mapped out, where " +
             (there == nullptr ? "nothing" : "frame " + std::to_string(there->frame)) + " stands";
    });
    pages_[place + i] = nullptr;
  }
  locking::DropResource(&room_channel_);
  if (!wanted_) return;
  wanted_ = false;
  system_.sleep_queue().WakeAll(&room_channel_);
}

std::uint32_t PagerMap::mapped() const {
  RoleGuard guard(lock_);
  return static_cast<std::uint32_t>(
      std::ranges::count_if(pages_, [](const Page* page) { return page != nullptr; }));
}

bool PagerMap::wanted() const {
  RoleGuard guard(lock_);
  return wanted_;
}

}  // namespace vm
