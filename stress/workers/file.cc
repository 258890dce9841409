// file: maps files, shared and privately, loads and stores through the mappings, truncates the
// files under them and writes them back. Each thread has a space of its own for what only it may
// know; others get mappings too, which all workers use like any memory.
#include <algorithm>
#include <vector>

#include "stress/workers/worker.h"
#include "stress/world/file_operations.h"

namespace stress {
namespace {

class FileWorker : public Worker {
 public:
  FileWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : files_(p.Number("files")),
        pages_(std::clamp(setup.pages / 4, 2u, p.Number("pages"))),
        touches_(p.Number("touches")),
        truncate_percent_(p.Number("truncate_percent")),
        sync_percent_(p.Number("sync_percent")),
        reopen_percent_(p.Number("reopen_percent")) {}

  void Step(WorkerContext& context) override {
    FileState* file = context.world.PickFile(context.random, files_, pages_);
    if (file == nullptr) return;
    if (context.random.Percent(truncate_percent_)) {
      TruncateFile(context, *file);
    } else if (context.random.Percent(sync_percent_)) {
      WriteBack(context, *file);
    } else if (context.random.Percent(reopen_percent_)) {
      Leave(context, *file);
      ReopenFile(context, *file);
      if (space_ != nullptr) RevokeOwnFile(context, *space_);
    } else if (context.random.Percent(kOthersPercent)) {
      MapForOthers(context, *file);
    } else if (Windows* windows = WindowsOf(context, *file)) {
      for (std::uint32_t i = 0; i < touches_; ++i) TouchSome(context, *windows);
    }
  }

 private:
  static constexpr std::uint32_t kOthersPercent = 10;

  // What this thread maps of one file.
  struct Windows {
    FileWindow tail;
    FileWindow privately;
    MappingUse kept;
    std::vector<std::uint64_t> stored;  // privately, by page
  };

  Windows* WindowsOf(WorkerContext& context, FileState& file) {
    if (space_ == nullptr) space_ = context.world.CreatePrivate();
    if (space_ == nullptr) return nullptr;
    if (windows_.size() < file.number) windows_.resize(file.number);
    Windows& windows = windows_[file.number - 1];
    if (windows.tail.file == nullptr) windows.tail = MapTail(context, *space_, file);
    if (windows.privately.file == nullptr) {
      windows.privately = MapPrivately(context, *space_, file);
      windows.stored.assign(file.kept_pages(), 0);
    }
    if (windows.kept == nullptr) windows.kept = MapKept(context, *space_, file);
    const bool all = windows.tail.file != nullptr && windows.privately.file != nullptr &&
                     windows.kept != nullptr;
    return all ? &windows : nullptr;
  }

  static void WriteBack(WorkerContext& context, FileState& file) {
    if (context.random.Percent(50))
      FlushFile(context, file);
    else
      SyncFile(context, file);
    if (context.random.Percent(50)) AdviseFile(context, file);
  }

  // Maps the file no more, until it is used again.
  void Leave(WorkerContext& context, FileState& file) {
    if (windows_.size() < file.number) return;
    Windows& windows = windows_[file.number - 1];
    UnmapWindow(context, *space_, &windows.tail, file.tail_pages());
    UnmapWindow(context, *space_, &windows.privately, file.kept_pages());
    if (windows.kept != nullptr)
      UnmapPages(context, *space_, windows.kept, 0, windows.kept->pages());
    windows.kept = nullptr;
  }

  void TouchSome(WorkerContext& context, Windows& windows) {
    const Access access = context.random.Percent(50) ? Access::kStore : Access::kLoad;
    switch (context.random.Below(3)) {
      case 0:
        TouchTail(context, *space_, windows.tail, access);
        return;
      case 1:
        TouchPrivate(context, *space_, windows.privately, &windows.stored);
        return;
      default:
        Touch(context, *space_, *windows.kept, context.random.Below(windows.kept->pages()), access);
    }
  }

  // In a space that all workers use; what one of them does not unmap goes with the space.
  static void MapForOthers(WorkerContext& context, FileState& file) {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const auto mapping = MapKept(context, *space, file);
    if (mapping == nullptr) return;
    Touch(context, *space, *mapping, context.random.Below(mapping->pages()), Access::kStore);
    if (context.random.Percent(50)) UnmapPages(context, *space, mapping, 0, mapping->pages());
  }

  const std::uint32_t files_;
  const std::uint32_t pages_;
  const std::uint32_t touches_;
  const std::uint32_t truncate_percent_;
  const std::uint32_t sync_percent_;
  const std::uint32_t reopen_percent_;
  SpaceUse space_;
  std::vector<Windows> windows_;  // by number of the file
};

}  // namespace

std::unique_ptr<Worker> MakeFileWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<FileWorker>(p, setup);
}

}  // namespace stress
