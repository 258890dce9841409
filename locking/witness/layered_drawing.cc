#include "locking/witness/layered_drawing.h"

#include <algorithm>

namespace locking {
namespace {

constexpr double kGap = 24;       // between neighbours of a level
constexpr double kBendWidth = 8;  // of a place that only an edge goes through
constexpr int kSweeps = 8;

class Layout {
 public:
  Layout(const std::vector<double>& widths,
         const std::vector<std::pair<std::size_t, std::size_t>>& edges)
      : widths_(widths), edges_(edges), level_(widths.size(), 0), below_(widths.size()) {}

  LayeredDrawing Draw() {
    for (const auto& [from, to] : edges_) PutBelow(from, to);
    FindLevels();
    PlaceAll();
    for (int sweep = 0; sweep < kSweeps; ++sweep) Sort(sweep % 2 == 0);
    return Result();
  }

 private:
  // Unless `to` is above `from` already, by edges that came before.
  void PutBelow(std::size_t from, std::size_t to) {
    if (from != to && !Reaches(to, from)) below_[from].push_back(to);
  }

  // The length of the longest way to each node.
  void FindLevels() {
    std::vector<std::size_t> above(below_.size(), 0), ready;
    for (const auto& inner : below_)
      for (std::size_t node : inner) ++above[node];
    for (std::size_t node = 0; node < above.size(); ++node)
      if (above[node] == 0) ready.push_back(node);
    while (!ready.empty()) {
      const std::size_t node = ready.back();
      ready.pop_back();
      for (std::size_t inner : below_[node]) {
        level_[inner] = std::max(level_[inner], level_[node] + 1);
        if (--above[inner] == 0) ready.push_back(inner);
      }
    }
  }

  bool Reaches(std::size_t from, std::size_t to) const {
    std::vector<bool> seen(below_.size(), false);
    std::vector<std::size_t> stack = {from};
    while (!stack.empty()) {
      const std::size_t node = stack.back();
      stack.pop_back();
      if (node == to) return true;
      if (seen[node]) continue;
      seen[node] = true;
      stack.insert(stack.end(), below_[node].begin(), below_[node].end());
    }
    return false;
  }

  // The nodes are the first places; each edge has one more in every level between its ends.
  void PlaceAll() {
    const int levels = level_.empty() ? 0 : *std::max_element(level_.begin(), level_.end()) + 1;
    rows_.resize(static_cast<std::size_t>(levels));
    for (std::size_t node = 0; node < widths_.size(); ++node) AddPlace(level_[node], widths_[node]);
    for (const auto& [from, to] : edges_) {
      std::vector<std::size_t>& path = paths_.emplace_back();
      path.push_back(from);
      const int step = level_[to] > level_[from] ? 1 : -1;
      if (level_[from] != level_[to])
        for (int level = level_[from] + step; level != level_[to]; level += step)
          path.push_back(AddPlace(level, kBendWidth));
      path.push_back(to);
      for (std::size_t i = 1; i < path.size(); ++i) Connect(path[i - 1], path[i]);
    }
    for (auto& row : rows_) Spread(&row);
  }

  std::size_t AddPlace(int level, double width) {
    const std::size_t place = places_.size();
    places_.push_back({0, width, level, {}, {}});
    rows_[static_cast<std::size_t>(level)].push_back(place);
    return place;
  }

  void Connect(std::size_t a, std::size_t b) {
    if (places_[a].level == places_[b].level) return;
    if (places_[a].level > places_[b].level) std::swap(a, b);
    places_[a].lower.push_back(b);
    places_[b].upper.push_back(a);
  }

  // Side by side, the row's middle at 0.
  void Spread(std::vector<std::size_t>* row) {
    double width = -kGap;
    for (std::size_t place : *row) width += places_[place].width + kGap;
    double x = -width / 2;
    for (std::size_t place : *row) {
      places_[place].x = x + places_[place].width / 2;
      x += places_[place].width + kGap;
    }
  }

  void Sort(bool down) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      std::vector<std::size_t>& row = rows_[down ? i : rows_.size() - 1 - i];
      std::vector<std::pair<std::pair<double, double>, std::size_t>> wishes;
      for (std::size_t place : row)
        wishes.push_back({{Wished(place, down), places_[place].x}, place});
      std::sort(wishes.begin(), wishes.end());
      for (std::size_t k = 0; k < row.size(); ++k) row[k] = wishes[k].second;
      Spread(&row);
    }
  }

  double Wished(std::size_t place, bool down) const {
    const std::vector<std::size_t>& near = down ? places_[place].upper : places_[place].lower;
    if (near.empty()) return places_[place].x;
    double sum = 0;
    for (std::size_t other : near) sum += places_[other].x;
    return sum / static_cast<double>(near.size());
  }

  LayeredDrawing Result() const {
    LayeredDrawing drawing;
    drawing.levels = static_cast<int>(rows_.size());
    double least = 0, most = 0;
    for (const Place& place : places_) {
      least = std::min(least, place.x - place.width / 2);
      most = std::max(most, place.x + place.width / 2);
    }
    drawing.width = most - least;
    const auto point = [&](std::size_t place) {
      return DrawingPoint{places_[place].x - least, places_[place].level};
    };
    for (std::size_t node = 0; node < widths_.size(); ++node) drawing.nodes.push_back(point(node));
    for (const std::vector<std::size_t>& path : paths_) {
      std::vector<DrawingPoint>& points = drawing.edges.emplace_back();
      for (std::size_t place : path) points.push_back(point(place));
    }
    return drawing;
  }

  struct Place {
    double x;
    double width;
    int level;
    std::vector<std::size_t> upper, lower;
  };

  const std::vector<double>& widths_;
  const std::vector<std::pair<std::size_t, std::size_t>>& edges_;
  std::vector<int> level_;                       // by node
  std::vector<std::vector<std::size_t>> below_;  // by node; has no cycle
  std::vector<Place> places_;
  std::vector<std::vector<std::size_t>> rows_;   // places of each level, from the left
  std::vector<std::vector<std::size_t>> paths_;  // places of each edge
};

}  // namespace

LayeredDrawing DrawInLevels(const std::vector<double>& widths,
                            const std::vector<std::pair<std::size_t, std::size_t>>& edges) {
  return Layout(widths, edges).Draw();
}

}  // namespace locking
