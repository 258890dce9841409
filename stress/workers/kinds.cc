#include "stress/workers/kinds.h"

namespace stress {
namespace {

Setting Number(const char* key, std::uint64_t min, std::uint64_t max, const char* fallback,
               const char* help) {
  return {.key = key,
          .section = Section::kWorker,
          .type = ValueType::kInteger,
          .min = min,
          .max = max,
          .fallback = fallback,
          .help = help};
}

std::vector<WorkerKindInfo> Table() {
  return {
      {"advise",
       "advises, syncs and queries ranges, and forgets their contents",
       {Number("max_pages", 1, 4096, "16", "pages of a range"),
        Number("free_percent", 0, 100, "40", "ranges whose contents may be forgotten")}},
      {"collapse",
       "forks address spaces into trees and exits them in random order",
       {Number("max_spaces", 2, 1024, "12", "address spaces alive at once"),
        Number("writes", 0, 4096, "8", "pages written in parent and child after a fork"),
        Number("inherit_percent", 0, 100, "20", "steps that change an inheritance instead")}},
      {"contiguous",
       "takes runs of contiguous frames, and looks that nobody else writes to them",
       {Number("max_pages", 1, 256, "8", "frames of a run"),
        Number("touches", 0, 4096, "4", "accesses to other memory while it has the run")}},
      {"device",
       "maps devices and physical memory, which forks share, and unmaps them",
       {Number("max_pages", 1, 256, "4", "pages of new physical memory"),
        Number("limit_percent", 1, 50, "10", "of the machine's pages that may be physical memory"),
        Number("touches", 1, 4096, "8", "accesses in a step")}},
      {"fault",
       "loads and stores that the oracle checks",
       {{.key = "pattern",
         .section = Section::kWorker,
         .type = ValueType::kChoice,
         .choices = {{"mix"}, {"read"}, {"write"}, {"stride"}, {"random"}, {"hot"}},
         .fallback = "mix",
         .help = "which pages, and whether they are read or written"},
        Number("touches", 1, 4096, "16", "accesses in a step"),
        Number("write_percent", 0, 100, "50", "stores among them, unless the pattern says"),
        Number("hot_pages", 1, 1u << 20, "4", "pages that the pattern hot keeps to")}},
      {"file",
       "maps files, shared and privately, truncates them and writes them back",
       {Number("files", 1, 256, "2", "files of all file workers"),
        Number("pages", 2, 4096, "64", "pages of a file"),
        Number("touches", 1, 4096, "16", "accesses in a step"),
        Number("truncate_percent", 0, 100, "10", "steps that truncate a file instead"),
        Number("sync_percent", 0, 100, "10", "of the others, steps that write one back"),
        Number("reopen_percent", 0, 100, "5",
               "of the others, steps that leave one and open it again")}},
      {"inspect",
       "looks at objects and what is behind them while others use them",
       {Number("chains", 1, 256, "4", "chains looked at in a step")}},
      {"map",
       "maps, unmaps and protects ranges",
       {Number("max_pages", 1, 4096, "32", "pages of a new mapping"),
        Number("part_percent", 0, 100, "50", "changes that concern a part of a mapping")}},
      {"pageout",
       "keeps writing more memory than the machine has",
       {Number("percent", 10, 1000, "125", "memory of all pageout workers, of the machine's pages"),
        Number("touches", 1, 4096, "32", "pages touched in a step")}},
      {"send",
       "lends pages to a sender, writes to them, and looks that what is sent stays",
       {Number("max_pages", 1, 64, "4", "pages lent at once"),
        Number("touches", 0, 4096, "8", "accesses while they are lent")}},
      {"wire",
       "wires and unwires ranges that overlap",
       {Number("max_pages", 1, 4096, "8", "pages of a range"),
        Number("limit_percent", 1, 50, "10", "of the machine's pages that may be wired")}},
  };
}

}  // namespace

const std::vector<WorkerKindInfo>& WorkerKinds() {
  static const auto* kinds = new std::vector<WorkerKindInfo>(Table());
  return *kinds;
}

}  // namespace stress
