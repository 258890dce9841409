#include "vm/check_view.h"

#include <algorithm>
#include <utility>

#include "vm/pmap_checker.h"

namespace vm {

const Page* ObjectView::PageAt(Pindex pindex) const {
  const auto found = std::lower_bound(pages.begin(), pages.end(), pindex,
                                      [](auto& page, Pindex at) { return page.pindex < at; });
  return found != pages.end() && found->pindex == pindex ? found->page : nullptr;
}

bool ObjectView::HasSlot(Pindex pindex) const {
  return std::binary_search(slots.begin(), slots.end(), Slot{pindex, 0},
                            [](auto& a, auto& b) { return a.pindex < b.pindex; });
}

const MapEntry* SpaceView::EntryAt(Address va) const {
  const auto found = std::upper_bound(entries.begin(), entries.end(), va,
                                      [](Address at, auto& entry) { return at < entry.end; });
  return found != entries.end() && found->start <= va ? &*found : nullptr;
}

const MappingView* SpaceView::MappingAt(Address va) const {
  const auto found = std::lower_bound(mappings.begin(), mappings.end(), va,
                                      [](auto& mapping, Address at) { return mapping.va < at; });
  return found != mappings.end() && found->va == va ? &*found : nullptr;
}

std::string Describe(const Page& page) {
  const Object* object = page.object;
  return "frame " + std::to_string(page.frame) +
         (object == nullptr ? ""
                            : " (object #" + std::to_string(object->id) + " at " +
                                  std::to_string(page.pindex) + ")");
}

std::string Describe(const ObjectView& object) { return "object #" + std::to_string(object.id); }

std::string Describe(const SpaceView& space, const MapEntry& entry) {
  return "space #" + std::to_string(space.id) + ": entry [" + std::to_string(entry.start) + ", " +
         std::to_string(entry.end) + ")";
}

std::string Describe(const MappingView& mapping) {
  return "pmap #" + std::to_string(mapping.pmap) + " at " + std::to_string(mapping.va) +
         " (frame " + std::to_string(mapping.frame) + ")";
}

std::string Describe(const RunView& run) {
  return "run of frames from " + std::to_string(run.frame) +
         (run.object == nullptr ? ""
                                : " (reserved for object #" + std::to_string(run.object->id) +
                                      " from " + std::to_string(run.first) + ")");
}

void Findings::Add(std::string title) {
  if (++count_ > kMost) return;
  locking::Finding finding;
  finding.id = id_;
  finding.title = std::move(title);
  findings_.push_back(std::move(finding));
}

void Findings::MoveTo(std::vector<locking::Finding>* all) {
  if (count_ > kMost) findings_.back().title += "; " + std::to_string(count_ - kMost) + " more";
  for (locking::Finding& finding : findings_) all->push_back(std::move(finding));
}

namespace {

void ViewList(const char* name, PageQueue queue, PageList& list, std::uint32_t counter,
              MachineView* view) {
  std::uint32_t length = 0;
  for (const Page& page : list) {
    if (page.marker) continue;
    view->list_of[page.frame] = queue;
    ++length;
  }
  view->lists.push_back({name, queue, length, counter});
}

void ViewQueues(MachineView* view) {
  PageQueues& queues = view->system.queues();
  PageRoleGuard guard(queues.lock);
  queues.FlushBatches();
  ViewList("active queue", PageQueue::kActive, queues.active(), queues.active_count(), view);
  ViewList("inactive queue", PageQueue::kInactive, queues.inactive(), queues.inactive_count(),
           view);
  std::uint32_t cached = 0;
  queues.cache().ForEach([&](const Page& page) {
    view->list_of[page.frame] = PageQueue::kCache;
    ++cached;
  });
  view->lists.push_back({"cache queue", PageQueue::kCache, cached, queues.cache_count()});
}

void ViewFreeQueue(MachineView* view) {
  FreeQueue& free_queue = view->system.free_queue();
  free_queue.DrainBatches();
  std::uint32_t free = 0, held = 0, zeroed = 0, kept = 0;
  free_queue.ForEach([&](const Page& page, PageQueue list) {
    view->list_of[page.frame] = list;
    ++(IsFree(list) ? free : held);
    if (list == PageQueue::kFree && page.zeroed) ++zeroed;
    if (list == PageQueue::kReserved) ++kept;
  });
  view->lists.push_back({"free queue", PageQueue::kFree, free, free_queue.free_count()});
  view->lists.push_back({"reservations", PageQueue::kReserved, kept, free_queue.kept_count()});
  view->lists.push_back({"hold list", PageQueue::kHold, held, free_queue.held_count()});
  view->lists.push_back({"zeroed pages", PageQueue::kNone, zeroed, free_queue.zeroed_count()});
}

void ViewRuns(MachineView* view) {
  const std::vector<Object*> objects = view->system.AllObjects();
  view->system.free_queue().LookAtFrames([&](const FreeFrames& frames) {
    const auto number = [&](const Reservation& run) {
      return static_cast<std::size_t>(&run - frames.runs().data());
    };
    for (const Reservation& run : frames.runs())
      view->runs.push_back({.frame = frames.FramesOf(run).front().frame,
                            .pages = frames.run_pages(),
                            .object = run.object,
                            .first = run.first,
                            .available = run.available});
    for (const Reservation& run : frames.whole()) ++view->runs[number(run)].times_whole;
    for (const Reservation& run : frames.partial()) {
      ++view->runs[number(run)].times_partial;
      view->partial.push_back(number(run));
    }
    for (const Object* object : objects)
      for (const Reservation& run : object->reservations) view->runs[number(run)].known_to = object;
  });
}

// Where the index has the page that it finds first from `next` on; the page's own idea of it may be
// wrong.
Pindex IndexOf(Object& object, const Page& page, Pindex next) LOCKING_REQUIRES(object.lock) {
  if (object.index.Peek(page.pindex) == &page && page.pindex >= next) return page.pindex;
  // The last from which the index finds it.
  Pindex low = next, high = kNoPindex;
  while (low < high) {
    const Pindex middle = high - (high - low) / 2;
    if (object.index.LookupAtOrAfter(middle) == &page)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

void ViewObjectPages(Object& object, ObjectView* view) LOCKING_REQUIRES(object.lock) {
  Pindex next = 0;
  while (const Page* page = object.index.LookupAtOrAfter(next)) {
    const Pindex at = IndexOf(object, *page, next);
    view->pages.push_back({at, page});
    next = at + 1;
  }
  if (object.swap == nullptr) return;
  for (const auto& [pindex, slot] : object.swap->slots()) view->slots.push_back({pindex, slot});
}

SpaceView ViewSpace(Space& space) {
  SpaceView view;
  view.id = space.id();
  {
    locking::ReadGuard guard(space.map().lock);
    for (const auto& [start, entry] : space.map().entries) view.entries.push_back(entry);
    view.map_size = space.map().size;
    view.limit = space.map().limit;
  }
  Pmap& pmap = space.pmap();
  view.pmap = pmap.id();
  view.resident_count = pmap.resident_count();
  view.wired_count = pmap.wired_count();
  PmapChecker::ForEachEntry(pmap, [&](Address va, const PmapChecker::Entry& entry) {
    const std::uint64_t value = entry.Load();
    view.mappings.push_back({.frame = PmapChecker::FrameOf(value),
                             .pmap = view.pmap,
                             .va = va,
                             .writable = PmapChecker::AllowsWrite(pmap, va, value),
                             .writable_entry = (value & PmapChecker::kWritable) != 0,
                             .wired = (value & PmapChecker::kWired) != 0,
                             .modified = (value & PmapChecker::kModified) != 0,
                             .valid = (value & PmapChecker::kValid) != 0,
                             .managed = (value & PmapChecker::kUnmanaged) == 0});
  });
  PmapChecker::ForEachTable(pmap, [&](Frame frame) { view.tables.push_back(frame); });
  return view;
}

void ViewPvLists(MachineView* view) {
  for (Page& page : view->pages) {
    PvLists::Shard& shard = view->system.pv_lists().ShardOf(page);
    RoleGuard guard(shard.lock);
    for (const PvEntry* pv = page.pv_first; pv != nullptr; pv = pv->next)
      view->pv_lists.push_back({.frame = page.frame, .pmap = pv->pmap->id(), .va = pv->va});
  }
  std::sort(view->pv_lists.begin(), view->pv_lists.end());
}

void ViewTranslations(MachineView* view) {
  for (std::uint32_t cpu = 0; cpu < view->system.config().cpus; ++cpu) {
    for (const Cpu::Translation& cached : view->system.cpu(cpu).CachedTranslations())
      view->translations.push_back(
          {cpu, cached.pmap, cached.pmap->id(), cached.page, cached.frame, cached.writable});
  }
}

}  // namespace

ObjectView ViewObject(Object& object) {
  ObjectView view;
  view.object = &object;
  view.id = object.id;
  view.type = object.type;
  view.size = object.size;
  view.ref_count = object.ref_count;
  view.paging_in_progress = object.paging_in_progress;
  view.paging_wanted = object.paging_wanted;
  view.dead = object.dead;
  view.one_mapping = object.one_mapping;
  view.might_be_dirty = object.might_be_dirty;
  view.revoked = object.type == ObjectType::kDead && object.pager != nullptr;
  view.of_file = object.type == ObjectType::kVnode || view.revoked;
  view.resident_page_count = object.resident_page_count;
  view.credential = object.credential;
  view.charge = object.charge;
  view.backing = object.backing;
  view.backing_offset = object.backing_offset;
  view.shadow_count = object.shadow_count;
  for (const Object& shadow : object.shadows) view.shadows.push_back(&shadow);
  ViewObjectPages(object, &view);
  return view;
}

MachineView ViewMachine(System& system) {
  MachineView view(system);
  ViewQueues(&view);
  ViewFreeQueue(&view);
  ViewRuns(&view);
  for (Object* object : system.AllObjects()) {
    ObjectGuard guard(object->lock);
    view.objects.push_back(ViewObject(*object));
  }
  for (Space* space : system.LiveSpaces()) view.spaces.push_back(ViewSpace(*space));
  std::sort(view.spaces.begin(), view.spaces.end(),
            [](const SpaceView& a, const SpaceView& b) { return a.id < b.id; });
  ViewPvLists(&view);
  ViewTranslations(&view);
  return view;
}

}  // namespace vm
