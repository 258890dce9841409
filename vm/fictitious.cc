#include "vm/fictitious.h"

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {

FictitiousPages::FictitiousPages(std::uint64_t all_blocks, locking::Giant* giant)
    : all_blocks_(all_blocks), lock_(kFictitiousPagesLock, 0, giant) {}

Page& FictitiousPages::Take(Frame frame) {
  RoleGuard guard(lock_);
  if (free_.empty()) {
    Page& page = storage_.emplace_back();
    page.identity = PageIdentity::kFictitious;
    page.unmanaged = true;
    page.wire_count = 1;
    page.valid = all_blocks_;
    free_.push_back(&page);
  }
  Page& page = *free_.back();
  free_.pop_back();
  page.frame = frame;
  in_use_.Add(1);
  return page;
}

void FictitiousPages::Return(Page& page) {
  Require(page.fictitious() && page.object == nullptr && !page.busied() && page.wire_count == 1 &&
              page.hold_count == 0,
          "INV-02", "a fictitious page is returned that is in use, or is none");
  RoleGuard guard(lock_);
  free_.push_back(&page);
  in_use_.Subtract(1);
}

}  // namespace vm
