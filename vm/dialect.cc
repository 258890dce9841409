#include "vm/dialect.h"

namespace vm {

const char* LockDialectName(LockDialect dialect) {
  switch (dialect) {
    case LockDialect::kQueues:
      return "queues";
    case LockDialect::kGiant:
      return "giant";
    case LockDialect::kPerPage:
      return "per-page";
  }
  return "?";
}

const char* IndexKindName(IndexKind kind) {
  switch (kind) {
    case IndexKind::kRadix:
      return "radix";
    case IndexKind::kRbtree:
      return "rbtree";
    case IndexKind::kSplay:
      return "splay";
  }
  return "?";
}

}  // namespace vm
