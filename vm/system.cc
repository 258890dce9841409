#include "vm/system.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <ranges>
#include <utility>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {
namespace {

std::uint64_t BlocksOf(std::uint32_t page_size) {
  const std::uint32_t blocks = page_size / kBlockBytes;
  return blocks == 64 ? ~0ull : (1ull << blocks) - 1;
}

FramePlan PlanOf(const SystemConfig& config, std::string* error) {
  if (config.memory.empty()) return PlanOneRange(config.pages);
  return PlanFrames(config.memory, config.page_size, sizeof(Page), error);
}

FramePlan PlanOf(const SystemConfig& config) {
  std::string error;
  return PlanOf(config, &error);
}

SystemConfig Validated(const SystemConfig& config) {
  Require(ValidateConfig(config).empty(), "CONFIG", [&] { return ValidateConfig(config); });
  SystemConfig valid = config;
  valid.pages = PlanOf(config).usable;
  return valid;
}

std::optional<locking::Giant> GiantOf(LockDialect dialect) {
  if (dialect != LockDialect::kGiant) return std::nullopt;
  return std::optional<locking::Giant>(std::in_place, kGiantLock);
}

std::unique_ptr<Store> OrMemoryStore(std::unique_ptr<Store> store, const SystemConfig& config) {
  return store != nullptr ? std::move(store) : MakeMemoryStore(config.swap_slots, config.page_size);
}

}  // namespace

std::string ValidateConfig(const SystemConfig& config) {
  if (!std::has_single_bit(config.page_size) || config.page_size < kMinPageSize ||
      config.page_size > kMaxPageSize)
    return "page size: " + std::to_string(config.page_size) + " is not a power of two from " +
           std::to_string(kMinPageSize) + " to " + std::to_string(kMaxPageSize);
  std::string error;
  const std::uint32_t pages = PlanOf(config, &error).usable;
  if (!error.empty()) return error;
  if (pages < kMinPages)
    return "pages: " + std::to_string(pages) + " is below " + std::to_string(kMinPages);
  if (config.cpus < 1 || config.cpus > kMaxCpus)
    return "cpus: " + std::to_string(config.cpus) + " is not from 1 to " + std::to_string(kMaxCpus);
  const std::uint32_t run = config.reservation_pages;
  if (run != 0 && (!std::has_single_bit(run) || run < 2 || run > kMaxReservationPages))
    return "reservation_pages: " + std::to_string(run) +
           " is neither 0 nor a power of two from 2 to " + std::to_string(kMaxReservationPages);
  return "";
}

System::System(const SystemConfig& config, std::unique_ptr<Store> store)
    : config_(Validated(config)),
      plan_(PlanOf(config)),
      page_shift_(static_cast<std::uint32_t>(std::countr_zero(config.page_size))),
      all_blocks_(BlocksOf(config.page_size)),
      giant_(GiantOf(config.locks)),
      frames_((std::size_t{plan_.frames} + config.device_frames) * config.page_size,
              config.page_size),
      pages_(plan_.frames),
      queues_(Thresholds::ForPages(plan_.usable).batch_pages, counters_, config.locks, giant()),
      free_queue_(Thresholds::ForPages(plan_.usable), queues_.cache_count(), sleep_queue_, pages_,
                  config.reservation_pages, counters_),
      pv_lists_(plan_.frames + config.device_frames, giant()),
      index_nodes_(giant()),
      fictitious_pages_(all_blocks_, giant()),
      pager_map_(*this),
      swap_(*this, config.swap_slots, OrMemoryStore(std::move(store), config)),
      charges_(config.charge_limit, giant()),
      vnode_pager_(*this),
      dead_pager_(*this),
      device_pager_(*this),
      physical_pager_(*this),
      daemon_(*this),
      zeroing_(*this),
      object_list_lock_(kObjectListLock, 0, giant()) {
  cpus_.reserve(config.cpus);
  for (std::uint32_t i = 0; i < config.cpus; ++i) cpus_.push_back(std::make_unique<Cpu>(*this, i));
  for (Frame frame = 0; frame < plan_.frames; ++frame) {
    pages_[frame].frame = frame;
    pages_[frame].identity = PageIdentity::kAbsent;
  }
  const std::size_t device_bytes = std::size_t{config.device_frames} * config.page_size;
  std::memset(frames_.get() + std::size_t{plan_.frames} * config.page_size, 0, device_bytes);
  // The lowest memory is handed out last: devices may want it (contiguous.h).
  for (const Segment& segment : plan_.memory | std::views::reverse)
    free_queue_.Fill(pages().subspan(segment.first, segment.count));
}

System::~System() {
  Stop();
  // Of a machine that was given up in the middle.
  for (Object& object : object_storage_) object.shadows.clear();
}

void System::Start() {
  daemon_.Start();
  if (config_.idle_zero) zeroing_.Start();
}

void System::Stop() {
  zeroing_.Stop();
  daemon_.Stop();
}

void System::Pause() {
  daemon_.Pause();
  free_queue_.PauseZeroing();
}

void System::Resume() {
  free_queue_.ResumeZeroing();
  daemon_.Resume();
}

Space* System::CreateSpace(Credential* credential) {
  if (credential == nullptr) credential = &charges_.everybody();
  Pmap* pmap = TakePmap();
  RoleGuard guard(object_list_lock_);
  spaces_.push_back(std::make_unique<Space>(*this, next_space_id_++, *pmap, *credential));
  return spaces_.back().get();
}

void System::ForgetSpace(Space* space) {
  std::unique_ptr<Space> gone;  // destroyed after the lock is released
  RoleGuard guard(object_list_lock_);
  for (auto& candidate : spaces_) {
    if (candidate.get() != space) continue;
    gone = std::move(candidate);
    candidate = std::move(spaces_.back());
    spaces_.pop_back();
    return;
  }
}

Vnode* System::HoldVnodeOf(BackingFile& file) {
  RoleGuard guard(object_list_lock_);
  const auto found = std::find_if(vnodes_.begin(), vnodes_.end(), [&](const auto& vnode) {
    return vnode->known && &vnode->file == &file;
  });
  Vnode* vnode = found != vnodes_.end() ? found->get() : nullptr;
  if (vnode == nullptr)
    vnode = vnodes_.emplace_back(std::make_unique<Vnode>(next_vnode_id_++, file)).get();
  HoldVnode(*vnode);
  return vnode;
}

void System::HideVnode(Vnode& vnode) {
  RoleGuard guard(object_list_lock_);
  vnode.known = false;
}

void System::ForgetVnode(Vnode* vnode) {
  std::unique_ptr<Vnode> gone;  // destroyed after the lock is released
  RoleGuard guard(object_list_lock_);
  const auto found = std::find_if(vnodes_.begin(), vnodes_.end(),
                                  [&](const auto& candidate) { return candidate.get() == vnode; });
  gone = std::move(*found);
  *found = std::move(vnodes_.back());
  vnodes_.pop_back();
}

std::size_t System::LiveVnodes() {
  RoleGuard guard(object_list_lock_);
  return vnodes_.size();
}

Object* System::TakeObject() {
  RoleGuard guard(object_list_lock_);
  if (free_objects_.empty()) {
    object_storage_.emplace_back(*this, static_cast<std::uint32_t>(object_storage_.size() + 1));
    return &object_storage_.back();
  }
  Object* object = free_objects_.back();
  free_objects_.pop_back();
  return object;
}

void System::ReturnObject(Object* object) {
  RoleGuard guard(object_list_lock_);
  free_objects_.push_back(object);
}

Pmap* System::TakePmap() {
  RoleGuard guard(object_list_lock_);
  if (free_pmaps_.empty()) {
    pmap_storage_.emplace_back(*this, static_cast<std::uint32_t>(pmap_storage_.size() + 1));
    return &pmap_storage_.back();
  }
  Pmap* pmap = free_pmaps_.back();
  free_pmaps_.pop_back();
  return pmap;
}

void System::ReturnPmap(Pmap* pmap) {
  RoleGuard guard(object_list_lock_);
  free_pmaps_.push_back(pmap);
}

std::vector<Object*> System::AllObjects() {
  RoleGuard guard(object_list_lock_);
  std::vector<Object*> objects;
  objects.reserve(object_storage_.size());
  for (Object& object : object_storage_) objects.push_back(&object);
  return objects;
}

std::vector<Space*> System::LiveSpaces() {
  RoleGuard guard(object_list_lock_);
  std::vector<Space*> spaces;
  spaces.reserve(spaces_.size());
  for (const auto& space : spaces_) spaces.push_back(space.get());
  return spaces;
}

}  // namespace vm
