// Page colours: frames of one colour fall to the same part of a processor's cache. Pages that
// follow each other in an object are given frames of colours that follow each other, so that they
// do not evict one another; what colour that is is a wish, never a reason to fail.
//
// A page's colour is its frame's number modulo kColors. The colour that (object, pindex) asks for
// is the object's first one (Object::color) + pindex.
//
// Follows vm_page.c:736 and :761 (select), and the colours of vm_pageq.c.
#ifndef VM_PAGE_COLORS_H_
#define VM_PAGE_COLORS_H_

#include <array>
#include <cstdint>

#include "vm/page.h"

namespace vm {

inline constexpr std::uint32_t kColors = 16;  // a power of two

constexpr std::uint32_t ColorOf(std::uint64_t number) {
  return static_cast<std::uint32_t>(number % kColors);
}

// The colours in the order in which they are tried for `wanted`, n = 0 … kColors - 1: itself, then
// from the opposite one inwards, since its neighbours' are those that are asked for next.
constexpr std::uint32_t NthColor(std::uint64_t wanted, std::uint32_t n) {
  if (n == 0) return ColorOf(wanted);
  const std::uint32_t away = kColors / 2 - n / 2;
  return ColorOf(n % 2 == 1 ? wanted + away : wanted + kColors - away);
}

// A list of pages for each colour.
//
// Thread safety: that of a plain container.
class ColoredPages {
 public:
  PageList& OfColor(std::uint32_t color) { return lists_[color]; }
  PageList& OfPage(const Page& page) { return lists_[ColorOf(page.frame)]; }
  void PushFront(Page& page) { OfPage(page).push_front(page); }
  void PushBack(Page& page) { OfPage(page).push_back(page); }
  void Erase(Page& page) {
    PageList& list = OfPage(page);
    list.erase(list.iterator_to(page));
  }

  // The head of the nearest list that has one; nullptr: there are no pages.
  Page* Head(std::uint64_t wanted) {
    for (std::uint32_t n = 0; n < kColors; ++n)
      if (PageList& list = OfColor(NthColor(wanted, n)); !list.empty()) return &list.front();
    return nullptr;
  }
  // The same of the tails that read as zero.
  Page* ZeroedTail(std::uint64_t wanted) {
    for (std::uint32_t n = 0; n < kColors; ++n) {
      PageList& list = OfColor(NthColor(wanted, n));
      if (!list.empty() && list.back().zeroed) return &list.back();
    }
    return nullptr;
  }
  template <typename Visit>
  void ForEach(Visit visit) {
    for (PageList& list : lists_)
      for (Page& page : list) visit(page);
  }

 private:
  std::array<PageList, kColors> lists_;
};

}  // namespace vm

#endif  // VM_PAGE_COLORS_H_
