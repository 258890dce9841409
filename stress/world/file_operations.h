// What a worker does to the files of the world: see operations.h.
#ifndef STRESS_WORLD_FILE_OPERATIONS_H_
#define STRESS_WORLD_FILE_OPERATIONS_H_

#include <cstdint>
#include <vector>

#include "stress/world/files.h"
#include "stress/world/operations.h"

namespace stress {

// A range of a worker's own space that maps a part of a file and that nobody else uses.
struct FileWindow {
  FileState* file = nullptr;
  vm::Address start = 0;
};

// A shared mapping of the part of the file that is kept; empty when it is refused.
MappingUse MapKept(WorkerContext& context, SpaceState& state, FileState& file);
// The tail, shared; the kept part, private. No file when it is refused.
FileWindow MapTail(WorkerContext& context, SpaceState& state, FileState& file);
FileWindow MapPrivately(WorkerContext& context, SpaceState& state, FileState& file);

// Unmaps all `pages` of the window, which is none any more.
void UnmapWindow(WorkerContext& context, SpaceState& state, FileWindow* window,
                 std::uint32_t pages);

// Loads a place of the tail, or stores there, and checks the outcome.
void TouchTail(WorkerContext& context, SpaceState& state, const FileWindow& window, Access access);
// Stores to a private page, or loads what was stored there. `stored`: by page, what; 0: nothing.
void TouchPrivate(WorkerContext& context, SpaceState& state, const FileWindow& window,
                  std::vector<std::uint64_t>* stored);

// Closes the file, for the last time if nobody maps it, and opens it again. Nothing where a store
// may fail.
void ReopenFile(WorkerContext& context, FileState& file);
// Cuts the tail somewhere, and mostly extends the file again.
void TruncateFile(WorkerContext& context, FileState& file);
// Takes a file away that this worker alone maps, and looks what is left in memory and in the file.
void RevokeOwnFile(WorkerContext& context, SpaceState& state);
// Says that some of it will be needed, or will not.
void AdviseFile(WorkerContext& context, FileState& file);
// Writes back what is dirty, and perhaps only what may not wait.
void FlushFile(WorkerContext& context, FileState& file);
// Writes back what is dirty, and checks that the file has it.
void SyncFile(WorkerContext& context, FileState& file);

}  // namespace stress

#endif  // STRESS_WORLD_FILE_OPERATIONS_H_
