#include "vm/inspect.h"

namespace vm {
namespace {

constexpr std::uint32_t kMostRuns = 8;

const char* TypeName(ObjectType type) {
  switch (type) {
    case ObjectType::kDefault:
      return "default";
    case ObjectType::kSwap:
      return "swap";
    case ObjectType::kVnode:
      return "vnode";
    case ObjectType::kDevice:
      return "device";
    case ObjectType::kPhys:
      return "phys";
    case ObjectType::kDead:
      break;
  }
  return "dead";
}

// "5" or "5-7"
std::string RangeText(std::uint64_t first, std::uint64_t count) {
  return std::to_string(first) + (count == 1 ? "" : "-" + std::to_string(first + count - 1));
}

std::string ResidentText(Object& object) LOCKING_REQUIRES(object.lock) {
  std::string text;
  std::uint32_t runs = 0;
  for (Pindex next = 0; const Page* page = object.index.LookupAtOrAfter(next);) {
    const Pindex first = page->pindex;
    Pindex count = 1;
    for (const Page* behind = object.index.Lookup(first + 1);
         behind != nullptr && behind->frame == page->frame + count;
         behind = object.index.Lookup(first + count))
      ++count;
    next = first + count;
    if (++runs > kMostRuns) continue;
    text += (runs == 1 ? "; resident " : ", ") + RangeText(first, count) +
            (count == 1 ? " in frame " : " in frames ") + RangeText(page->frame, count);
  }
  if (runs > kMostRuns) text += ", " + std::to_string(runs - kMostRuns) + " more runs";
  return text;
}

// *next: what backs it.
std::string Inspect(Object& object, Object** next) {
  ObjectGuard guard(object.lock);
  std::string text = "object #" + std::to_string(object.id) + ": " + TypeName(object.type) + ", " +
                     std::to_string(object.size) + " pages, " +
                     std::to_string(object.resident_page_count) + " resident, references " +
                     std::to_string(object.ref_count) + ", shadows " +
                     std::to_string(object.shadow_count);
  if (object.credential != nullptr) text += ", charge " + std::to_string(object.charge);
  if (object.paging_in_progress != 0)
    text += ", paging in progress " + std::to_string(object.paging_in_progress);
  if (object.backing != nullptr)
    text += ", behind it #" + std::to_string(object.backing->id) + " + " +
            std::to_string(object.backing_offset);
  *next = object.backing;
  return text + ResidentText(object);
}

}  // namespace

std::string InspectObject(Object& object) {
  Object* next;
  return Inspect(object, &next);
}

std::string InspectChain(Object& front) {
  std::string text;
  for (Object* object = &front; object != nullptr;) text += Inspect(*object, &object) + "\n";
  return text;
}

}  // namespace vm
