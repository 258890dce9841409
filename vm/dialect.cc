#include "vm/dialect.h"

namespace vm {

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
