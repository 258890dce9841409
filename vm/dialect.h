// The dialects of a machine: the ways in which the systems that it follows did the same. One code
// base serves them all; which one runs is said when the system is built.
#ifndef VM_DIALECT_H_
#define VM_DIALECT_H_

#include <array>
#include <cstdint>

namespace vm {

// The granularity of the locks: which lock plays which role.
enum class LockDialect : std::uint8_t {
  kQueues,   // the page queue mutex is the page role too
  kGiant,    // one mutex plays every role of mutex kind from the object inward
  kPerPage,  // the page role is a hashed pool of locks
};
inline constexpr std::array kLockDialects = {LockDialect::kQueues, LockDialect::kGiant,
                                             LockDialect::kPerPage};
// "queues", "giant", "per-page".
const char* LockDialectName(LockDialect dialect);

// How an object finds its pages.
enum class IndexKind : std::uint8_t {
  kRadix,   // 64-way nodes
  kRbtree,  // red-black tree, its links in the pages
  kSplay,   // splay tree, its links in the pages
};
inline constexpr std::array kIndexKinds = {IndexKind::kRadix, IndexKind::kRbtree,
                                           IndexKind::kSplay};
// "radix", "rbtree", "splay".
const char* IndexKindName(IndexKind kind);

}  // namespace vm

#endif  // VM_DIALECT_H_
