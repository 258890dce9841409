// Where the nodes of a directed graph stand when they are drawn in levels, and by which points its
// edges go: longest paths give the levels, places in the levels in between keep edges off nodes,
// and a few sweeps put each place near the middle of its neighbours (Sugiyama, Tagawa, Toda 1981).
//
// Thread safety: pure function.
#ifndef LOCKING_WITNESS_LAYERED_DRAWING_H_
#define LOCKING_WITNESS_LAYERED_DRAWING_H_

#include <cstddef>
#include <utility>
#include <vector>

namespace locking {

struct DrawingPoint {
  double x;  // the middle
  int level;
};

struct LayeredDrawing {
  std::vector<DrawingPoint> nodes;
  // By edge, from its first node to its last: one point a level, both ends included.
  std::vector<std::vector<DrawingPoint>> edges;
  double width = 0;
  int levels = 0;
};

// `widths`: of the nodes. Earlier edges decide where later ones contradict them; those run upwards.
LayeredDrawing DrawInLevels(const std::vector<double>& widths,
                            const std::vector<std::pair<std::size_t, std::size_t>>& edges);

}  // namespace locking

#endif  // LOCKING_WITNESS_LAYERED_DRAWING_H_
