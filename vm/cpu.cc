#include "vm/cpu.h"

#include "locking/atomic.h"
#include "vm/lock_classes.h"
#include "vm/pmap.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr Address kWordBytes = sizeof(std::uint64_t);

}  // namespace

Cpu::Cpu(System& system, std::uint32_t number)
    : number(number), system_(system), access_(kCpuAccessLock, number) {}

// Neighbouring pages of one space, and the same page of several, go to different slots.
Cpu::Translation& Cpu::SlotOf(const Pmap& pmap, Address page) {
  return tlb_[(system_.BytesToPages(page) + std::uint64_t{pmap.id()} * 11) % kTlbEntries];
}

bool Cpu::Fill(Pmap& pmap, Protection access, Translation* slot) {
  const bool write = Allows(access, Protection::kWrite);
  const std::uint64_t needed = Pmap::kValid | (write ? Pmap::kWritable : 0);
  const std::uint64_t marks = Pmap::kReferenced | (write ? Pmap::kModified : 0);
  pmap.MarkActiveOn(number);
  const Pmap::Entry* directory = pmap.WalkDirectory(slot->page);
  const std::uint64_t table = directory == nullptr ? 0 : directory->Load();
  Pmap::Entry* entry = pmap.WalkTable(table, slot->page);
  if (entry == nullptr || (write && (table & Pmap::kReadOnly) != 0)) return false;
  std::uint64_t value = entry->Load();
  do {
    if ((value & needed) != needed) return false;
    if ((value & marks) == marks) break;
  } while (!entry->CompareExchange(value, value | marks));
  constexpr std::uint64_t kMayWrite = Pmap::kWritable | Pmap::kModified;
  slot->pmap = &pmap;
  slot->frame = Pmap::FrameOf(value);
  slot->writable = (table & Pmap::kReadOnly) == 0 && ((value | marks) & kMayWrite) == kMayWrite;
  return true;
}

std::uint64_t* Cpu::Translate(Pmap& pmap, Address va, Protection access) {
  const Address offset = va & system_.PageMask();
  const Address page = va - offset;
  Translation& slot = SlotOf(pmap, page);
  const bool hit = slot.pmap == &pmap && slot.page == page &&
                   (slot.writable || !Allows(access, Protection::kWrite));
  if (!hit) {
    slot = {.page = page};
    if (!Fill(pmap, access, &slot)) return nullptr;
  }
  return reinterpret_cast<std::uint64_t*>(system_.FrameBytes(slot.frame).data() + offset);
}

Cpu::Access Cpu::LoadWords(Pmap& pmap, Address va, std::uint64_t* values, std::uint32_t count) {
  Require(va % kWordBytes == 0 &&
              (va & system_.PageMask()) + count * kWordBytes <= system_.config().page_size,
          "ACCESS", "an access is not aligned, or crosses a page");
  locking::MutexGuard guard(access_);
  std::uint64_t* words = Translate(pmap, va, Protection::kRead);
  if (words == nullptr) return Access::kFault;
  for (std::uint32_t i = 0; i < count; ++i) values[i] = locking::LoadWord(words[i]);
  return Access::kDone;
}

Cpu::Access Cpu::StoreWords(Pmap& pmap, Address va, const std::uint64_t* values,
                            std::uint32_t count) {
  Require(va % kWordBytes == 0 &&
              (va & system_.PageMask()) + count * kWordBytes <= system_.config().page_size,
          "ACCESS", "an access is not aligned, or crosses a page");
  locking::MutexGuard guard(access_);
  std::uint64_t* words = Translate(pmap, va, Protection::kWrite);
  if (words == nullptr) return Access::kFault;
  for (std::uint32_t i = 0; i < count; ++i) locking::StoreWord(words[i], values[i]);
  return Access::kDone;
}

Cpu::Access Cpu::Load(Pmap& pmap, Address va, std::uint64_t* value) {
  return LoadWords(pmap, va, value, 1);
}

Cpu::Access Cpu::Store(Pmap& pmap, Address va, std::uint64_t value) {
  return StoreWords(pmap, va, &value, 1);
}

void Cpu::Invalidate(const Pmap& pmap, Address first, Address last) {
  locking::MutexGuard guard(access_);
  if (system_.BytesToPages(last - first) == 0) {
    Translation& slot = SlotOf(pmap, first);
    if (slot.pmap == &pmap && slot.page == first) slot = {};
    return;
  }
  for (Translation& slot : tlb_) {
    if (slot.pmap == &pmap && slot.page >= first && slot.page <= last) slot = {};
  }
}

std::vector<Cpu::Translation> Cpu::CachedTranslations() {
  locking::MutexGuard guard(access_);
  std::vector<Translation> cached;
  for (const Translation& slot : tlb_) {
    if (slot.pmap != nullptr) cached.push_back(slot);
  }
  return cached;
}

}  // namespace vm
