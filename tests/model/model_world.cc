#include "tests/model/model_world.h"

#include <algorithm>

#include "locking/finding.h"
#include "tests/vm/slow_store.h"
#include "vm/check.h"
#include "vm/pager/making_pagers.h"
#include "vm/vnode.h"

namespace vm {
namespace {

constexpr std::uint64_t kFirstBytes = 5 * kTestPageSize;  // of a file

std::unique_ptr<Store> MakeStore(const WorldOptions& options, const StoreFaults& faults) {
  auto store = std::make_unique<ModelStore>(MakeMemoryStore(options.swap_slots, kTestPageSize),
                                            faults, options.lose_writes);
  if (options.slow_store) return MakeSlowStore(std::move(store));
  return store;
}

void FailWith(std::vector<locking::Finding> findings) {
  if (!findings.empty()) locking::Fail(std::move(findings.front()));
}

}  // namespace

void FailModel(const std::string& what) { locking::FailInvariant("MODEL", what); }

void RequireResult(Result result, Results may, const char* what) {
  if (may.Has(result)) return;
  FailModel(std::string(what) + " says " + ResultName(result) + ", and must say " + may.Names());
}

ModelWorld::ModelWorld(const WorldOptions& options)
    : has_daemon(options.daemon),
      system(InDialect({.pages = options.pages,
                        .page_size = kTestPageSize,
                        .cpus = 4,
                        .swap_slots = options.swap_slots,
                        .device_frames = kDeviceFrames,
                        .reservation_pages = options.reservation_pages}),
             MakeStore(options, faults)),
      device(AllocateDeviceObject(system, static_cast<Frame>(system.pages().size()), kObjectPages)),
      physical(AllocatePhysicalObject(system, kObjectPages)) {
  for (std::uint32_t i = 0; i < kFiles; ++i) {
    ModelFile& file = files.emplace_back(faults);
    RequireResult(file.backing.Truncate(kFirstBytes), {Result::kOk}, "the first size of a file");
    OpenFile(file, std::make_shared<FileLife>(kFirstBytes));
  }
  for (Frame frame = 0; frame < kDeviceFrames; ++frame)
    std::ranges::fill(system.FrameBytes(static_cast<Frame>(system.pages().size()) + frame),
                      std::byte{0});
  if (options.daemon) system.Start();
}

void ModelWorld::SetFaults(std::uint32_t bits) {
  if (without_faults_ == 0) faults.Set(bits);
}

void ModelWorld::Truncate(ModelFile& file, std::uint64_t size) {
  if (!file.TryBeginChange()) return;
  const ModelFile::Opened opened = file.Use();
  FileLife& life = *opened.life;
  const std::uint64_t waits = system.counters().Get(Event::kPageWait);
  const Time begin = clock.Now();
  life.BeginTruncate(size, begin);
  const Result result = TruncateVnode(system, *opened.vnode, size);
  const auto outcome =
      result == Result::kOk ? Register::Outcome::kDone : Register::Outcome::kNotDone;
  life.EndTruncate(size, clock.Now(), outcome);
  Results may{};
  if (!life.revoked() && !faults.OnSince(StoreFault::kTruncate, begin)) may.Add(Result::kOk);
  if (life.revoked() || faults.OnAfter(StoreFault::kTruncate, begin)) may.Add(Result::kIoError);
  // For a copy of a page that is lent.
  if (system.counters().Get(Event::kPageWait) != waits) may.Add(Result::kOutOfMemory);
  RequireResult(result, may, "a truncation");
  Release(opened);
  file.EndChange();
}

void ModelWorld::Sync(ModelFile& file) {
  const ModelFile::Opened opened = file.Use();
  if (opened.vnode == nullptr) return;
  const Time begin = clock.Now();
  const Result result = SyncVnode(system, *opened.vnode);
  Results may{Result::kOk};
  if (faults.OnAfter(StoreFault::kFileFull, begin)) may.Add(Result::kNoSpace);
  if (faults.OnAfter(StoreFault::kFileWrite, begin) ||
      faults.OnAfter(StoreFault::kShortWrite, begin))
    may.Add(Result::kIoError);
  RequireResult(result, may, "a sync of a file");
  if (result == Result::kOk) {
    locking::ReadGuard nobody_writes(opened.vnode->lock);
    if (!opened.life->revoked()) CheckFile(file, *opened.life, begin);
  }
  Release(opened);
}

void ModelWorld::Revoke(ModelFile& file) {
  if (!file.TryBeginChange()) return;
  const ModelFile::Opened opened = file.Use();
  if (!opened.life->revoked()) {
    const NoFaults no_faults(*this);
    const Time begin = clock.Now();
    opened.life->BeginRevoke();
    RevokeVnode(system, *opened.vnode);
    opened.life->EndRevoke(begin, clock.Now());
    CheckFile(file, *opened.life->next(), begin);
  }
  Release(opened);
  file.EndChange();
}

void ModelWorld::Reopen(ModelFile& file) {
  if (!file.TryBeginChange()) return;
  const NoFaults no_faults(*this);
  const std::shared_ptr<FileLife> life = file.opened().life;
  (void)CloseFile(file);
  OpenFile(file, life->revoked() ? life->next() : life);
  file.EndChange();
}

void ModelWorld::Release(const ModelFile::Opened& opened) {
  // Who closes a file that is not revoked does so without faults.
  RequireResult(ReleaseVnode(system, opened.vnode), {Result::kOk}, "the end of a use of a file");
}

void ModelWorld::OpenFile(ModelFile& file, std::shared_ptr<FileLife> life) {
  file.SetOpened({.vnode = OpenVnode(system, file.backing), .life = std::move(life)});
}

bool ModelWorld::CloseFile(ModelFile& file) {
  const ModelFile::Opened opened = file.opened();
  file.SetOpened({});
  HoldVnode(*opened.vnode);
  const Time begin = clock.Now();
  Release(opened);
  bool ended = false;
  {
    locking::ReadGuard guard(opened.vnode->lock);
    ended = opened.vnode->state == VnodeState::kEnded;
  }
  DropVnode(system, opened.vnode);
  if (ended && !opened.life->revoked()) CheckFile(file, *opened.life, begin);
  return ended;
}

void ModelWorld::CheckFile(const ModelFile& file, FileLife& life, Time begin) {
  for (Pindex index = 0; index < kMaxFilePages; ++index) {
    for (std::uint32_t word = 0; word < kWordsPerPage; ++word) {
      const Time now = clock.Now();
      if (life.MayEndBefore(index, word, begin, now)) continue;
      const std::uint64_t value = file.backing.WordAt(index * kTestPageSize + WordOffset(word));
      if (!life.page(index).word(word).Loaded(value, begin, now))
        FailModel("a file has not what was last stored to it");
    }
  }
}

void ModelWorld::Check() { FailWith(CheckSystem(system)); }

void ModelWorld::Finish() {
  system.Stop();
  Check();
  for (ModelFile& file : files)
    if (!CloseFile(file)) FailModel("a file is used that nobody uses");
  DeallocateObject(system, device);
  DeallocateObject(system, physical);
  Check();
  system.free_queue().DrainBatches();
  FailWith(CheckNoLeaks(system));
}

}  // namespace vm
