#include "vm/tree_index.h"

#include <boost/intrusive/parent_from_member.hpp>

#include "vm/require.h"

namespace vm {
namespace {

template <typename Link>
auto* PageOf(Link* link) {
  return boost::intrusive::get_parent_from_member<Page>(link, &Page::tree_link);
}

struct ByPindex {
  bool operator()(Pindex pindex, const TreeLink* link) const {
    return pindex < PageOf(link)->pindex;
  }
  bool operator()(const TreeLink* link, Pindex pindex) const {
    return PageOf(link)->pindex < pindex;
  }
};

}  // namespace

template <typename Algorithms>
Page* TreeIndex<Algorithms>::Peek(Pindex pindex) const {
  const TreeLink* header = &header_;
  TreeLink* found = Algorithms::find(header, pindex, ByPindex());
  return found == header ? nullptr : PageOf(found);
}

template <typename Algorithms>
Page* TreeIndex<Algorithms>::Lookup(Pindex pindex) {
  TreeLink* found = Algorithms::find(&header_, pindex, ByPindex());
  return found == &header_ ? nullptr : PageOf(found);
}

template <typename Algorithms>
Page* TreeIndex<Algorithms>::LookupAtOrAfter(Pindex pindex) {
  TreeLink* found = Algorithms::lower_bound(&header_, pindex, ByPindex());
  return found == &header_ ? nullptr : PageOf(found);
}

template <typename Algorithms>
void TreeIndex<Algorithms>::Insert(Pindex pindex, Page* page) {
  typename Algorithms::insert_commit_data place;
  const bool is_free = Algorithms::insert_unique_check(&header_, pindex, ByPindex(), place).second;
  Require(is_free, "INV-04", "a second page is inserted at one index");
  page->pindex = pindex;
  Algorithms::insert_unique_commit(&header_, &page->tree_link, place);
}

template <typename Algorithms>
Page* TreeIndex<Algorithms>::Remove(Pindex pindex) {
  Page* page = Lookup(pindex);
  Require(page != nullptr, "INV-03", "a page is not in its object's index");
  Algorithms::erase(&header_, &page->tree_link);
  return page;
}

template class TreeIndex<boost::intrusive::rbtree_algorithms<TreeLinkTraits>>;
template class TreeIndex<boost::intrusive::splaytree_algorithms<TreeLinkTraits>>;

}  // namespace vm
