#include "vm/page_index.h"

#include <concepts>
#include <type_traits>

namespace vm {
namespace {

template <typename Index>
constexpr bool kIsRadix = std::same_as<std::remove_cvref_t<Index>, RadixIndex>;

}  // namespace

PageIndex::PageIndex(IndexKind kind) {
  if (kind == IndexKind::kRbtree) index_.emplace<RbtreeIndex>();
  if (kind == IndexKind::kSplay) index_.emplace<SplayIndex>();
}

Page* PageIndex::PeekInTree(Pindex pindex) const {
  const auto* splay = std::get_if<SplayIndex>(&index_);
  return splay != nullptr ? splay->Peek(pindex) : std::get<RbtreeIndex>(index_).Peek(pindex);
}

Page* PageIndex::Lookup(Pindex pindex) {
  return std::visit([&](auto& index) { return index.Lookup(pindex); }, index_);
}

Page* PageIndex::LookupAtOrAfter(Pindex pindex) {
  return std::visit([&](auto& index) { return index.LookupAtOrAfter(pindex); }, index_);
}

void PageIndex::Insert(Pindex pindex, Page* page, IndexNodePool& pool) {
  std::visit(
      [&](auto& index) {
        if constexpr (kIsRadix<decltype(index)>)
          index.Insert(pindex, page, pool);
        else
          index.Insert(pindex, page);
      },
      index_);
}

Page* PageIndex::Remove(Pindex pindex, IndexNodePool& pool) {
  return std::visit(
      [&](auto& index) {
        if constexpr (kIsRadix<decltype(index)>)
          return index.Remove(pindex, pool);
        else
          return index.Remove(pindex);
      },
      index_);
}

bool PageIndex::empty() const {
  return std::visit([](const auto& index) { return index.empty(); }, index_);
}

}  // namespace vm
