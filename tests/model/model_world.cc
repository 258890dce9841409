#include "tests/model/model_world.h"

#include <algorithm>

#include "locking/finding.h"
#include "tests/vm/slow_store.h"
#include "vm/check.h"
#include "vm/object_clean.h"
#include "vm/pager/making_pagers.h"

namespace vm {
namespace {

constexpr std::uint32_t kFirstPages = 5;  // of a file

std::unique_ptr<ModelStore> MakeStore(const WorldOptions& options) {
  auto store = std::make_unique<ModelStore>(
      options.slow_store ? MakeSlowStore(options.swap_slots, kTestPageSize)
                         : MakeMemoryStore(options.swap_slots, kTestPageSize));
  store->lose_writes = options.lose_writes;
  return store;
}

void FailWith(std::vector<locking::Finding> findings) {
  if (!findings.empty()) locking::Fail(std::move(findings.front()));
}

}  // namespace

void FailModel(const std::string& what) { locking::FailInvariant("MODEL", what); }

ModelWorld::ModelWorld(const WorldOptions& options) : ModelWorld(options, MakeStore(options)) {}

ModelWorld::ModelWorld(const WorldOptions& options, std::unique_ptr<ModelStore> its_store)
    : has_daemon(options.daemon),
      store(its_store.get()),
      system(InDialect({.pages = options.pages,
                        .page_size = kTestPageSize,
                        .cpus = 4,
                        .swap_slots = options.swap_slots,
                        .device_frames = kDeviceFrames}),
             std::move(its_store)),
      files(kFiles),
      device(AllocateDeviceObject(system, static_cast<Frame>(system.pages().size()), kObjectPages)),
      physical(AllocatePhysicalObject(system, kObjectPages)) {
  for (ModelFile& file : files) {
    file.size = std::uint64_t{kFirstPages} * kTestPageSize;
    if (file.file.Truncate(file.size) != Result::kOk) FailModel("a file cannot be extended");
    for (std::shared_ptr<Contents>& page : file.pages) page = std::make_shared<Contents>();
    Open(file);
  }
  for (Frame frame = 0; frame < kDeviceFrames; ++frame)
    std::ranges::fill(system.FrameBytes(static_cast<Frame>(system.pages().size()) + frame),
                      std::byte{0});
  if (options.daemon) system.Start();
}

bool ModelWorld::FilesFail() const {
  return std::any_of(files.begin(), files.end(), [](const ModelFile& file) {
    return file.file.fail_reads || file.file.fail_writes != Result::kOk;
  });
}

void ModelWorld::SetFaults(std::uint32_t bits) {
  store->fail_writes = (bits & 1) != 0;
  store->fail_reads = (bits & 2) != 0;
  for (ModelFile& file : files) {
    file.file.fail_reads = (bits & 4) != 0;
    file.file.fail_writes = (bits & 8) == 0    ? Result::kOk
                            : (bits & 16) == 0 ? Result::kIoError
                                               : Result::kNoSpace;
    file.file.fail_truncate = (bits & 32) != 0;
    file.file.short_write = (bits & 64) != 0 ? kTestPageSize : ~0ull;
  }
}

void ModelWorld::Truncate(ModelFile& file, std::uint64_t size) {
  const std::uint64_t waits = system.counters().Get(Event::kPageWait);
  const Result result = TruncateVnode(system, *file.vnode, size);
  // For a copy of a page that is lent.
  if (result == Result::kOutOfMemory && system.counters().Get(Event::kPageWait) != waits) return;
  if (file.file.fail_truncate) {
    if (result != Result::kIoError) FailModel("a truncation succeeded that could not");
    return;
  }
  if (result != Result::kOk) FailModel("a truncation failed");
  const std::uint64_t cut = std::min(size, file.size);
  for (std::uint32_t page = 0; page < kMaxFilePages; ++page) {
    const std::uint64_t start = std::uint64_t{page} * kTestPageSize;
    if (start + kTestPageSize > cut) file.pages[page]->Clear(std::max(cut, start) - start);
  }
  file.size = size;
}

void ModelWorld::Check() { FailWith(CheckSystem(system)); }

void ModelWorld::Open(ModelFile& file) { file.vnode = OpenVnode(system, file.file); }

void ModelWorld::Close(ModelFile& file) {
  if (ReleaseVnode(system, file.vnode) != Result::kOk) FailModel("closing a file failed");
  if (file.revoked) file.pages = file.kept;
  file.revoked = false;
  CheckFile(file);
}

void ModelWorld::Revoke(ModelFile& file) {
  RevokeVnode(system, *file.vnode);
  CheckFile(file);
  file.revoked = true;
  for (std::uint32_t page = 0; page < kMaxFilePages; ++page)
    file.kept[page] = std::make_shared<Contents>(*file.pages[page], clock.Now(), clock.Now());
}

void ModelWorld::CheckFile(ModelFile& file) {
  for (std::uint32_t page = 0; page < file.page_count(); ++page) {
    for (std::uint32_t word = 0; word < kWordsPerPage; ++word) {
      if (file.Ends(page, word)) continue;
      const Time begin = clock.Now();
      const std::uint64_t value =
          file.file.WordAt(std::uint64_t{page} * kTestPageSize + WordOffset(word));
      if (!file.pages[page]->word(word).Loaded(value, begin, clock.Now()))
        FailModel("a file has not what was last stored to it");
    }
  }
}

void ModelWorld::Finish() {
  system.Stop();
  Check();
  for (ModelFile& file : files) Close(file);
  DeallocateObject(system, device);
  DeallocateObject(system, physical);
  Check();
  system.free_queue().DrainBatches();
  FailWith(CheckNoLeaks(system));
}

}  // namespace vm
