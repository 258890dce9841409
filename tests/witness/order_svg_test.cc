// The lock order as a drawing: where everything stands, and what is marked.
#include "locking/witness/order_svg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "locking/witness/layered_drawing.h"
#include "tests/well_formed.h"

namespace locking {
namespace {

using Edges = std::vector<std::pair<std::size_t, std::size_t>>;

TEST(LayeredDrawing, InnerNodesStandBelow) {
  const LayeredDrawing drawing = DrawInLevels({10, 10, 10, 10}, {{2, 1}, {1, 0}, {2, 0}, {2, 3}});
  EXPECT_EQ(drawing.levels, 3);
  EXPECT_EQ(drawing.nodes[2].level, 0);
  EXPECT_EQ(drawing.nodes[1].level, 1);
  EXPECT_EQ(drawing.nodes[0].level, 2);
  EXPECT_EQ(drawing.nodes[3].level, 1);
}

TEST(LayeredDrawing, NothingOverlapsInALevel) {
  Edges edges;
  for (std::size_t inner = 1; inner < 8; ++inner) edges.push_back({0, inner});
  for (std::size_t inner = 1; inner < 7; ++inner) edges.push_back({inner, 7});
  const double width = 50;
  const LayeredDrawing drawing = DrawInLevels(std::vector<double>(8, width), edges);
  for (std::size_t a = 0; a < 8; ++a) {
    EXPECT_GE(drawing.nodes[a].x, width / 2);
    EXPECT_LE(drawing.nodes[a].x, drawing.width - width / 2);
    for (std::size_t b = 0; b < a; ++b) {
      if (drawing.nodes[a].level != drawing.nodes[b].level) continue;
      EXPECT_GE(std::abs(drawing.nodes[a].x - drawing.nodes[b].x), width);
    }
  }
}

TEST(LayeredDrawing, AnEdgeGoesAroundTheNodesOfALevel) {
  const double width = 50;
  const LayeredDrawing drawing = DrawInLevels({width, width, width}, {{0, 1}, {1, 2}, {0, 2}});
  const std::vector<DrawingPoint>& points = drawing.edges[2];
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[1].level, 1);
  EXPECT_GT(std::abs(points[1].x - drawing.nodes[1].x), width / 2);
}

TEST(LayeredDrawing, AnEdgeThatContradictsEarlierOnesRunsUpwards) {
  const LayeredDrawing drawing = DrawInLevels({9, 9, 9}, {{0, 1}, {1, 2}, {2, 0}, {1, 1}});
  EXPECT_EQ(drawing.nodes[0].level, 0);
  EXPECT_EQ(drawing.nodes[2].level, 2);
  EXPECT_EQ(drawing.edges[2].front().level, 2);
  EXPECT_EQ(drawing.edges[2].back().level, 0);
}

TEST(LayeredDrawing, OfNothingIsEmpty) { EXPECT_EQ(DrawInLevels({}, {}).levels, 0); }

constexpr const char* kBook = R"(
order = [["map", "object", "pmap"]]
leaves = ["free & <queue>"]
[[exception]]
from = "pmap"
to = "map"
site = "x.cc"
reason = "r"
expires = 2999-01-01
)";

std::string Svg(const std::vector<ClassPair>& observed) {
  std::vector<std::string> errors;
  const OrderBook book = OrderBook::Parse(kBook, "book.toml", &errors).value_or(OrderBook());
  OrderSnapshot snapshot;
  for (const ClassPair& pair : observed) {
    ObservedEdge edge{.from = pair.first, .to = pair.second, .count = 3, .modes = 1, .samples = {}};
    edge.samples.push_back({.thread = "t", .held = {}, .taken = {.site = "x.cc:1", .stack = {}}});
    snapshot.edges.push_back(edge);
  }
  SortAndUnite(&snapshot);
  return OrderSvg(CheckOrder(book, snapshot, "2026-11-21"), book);
}

// The class of the edge's path; empty: it is not drawn.
std::string StyleOf(const std::string& svg, const std::string& edge) {
  std::smatch match;
  const std::regex path("<path class=\"([a-z ]+)\"[^>]*><title>" + edge + ": ");
  return std::regex_search(svg, match, path) ? match[1].str() : "";
}

TEST(OrderSvg, MarksWhatIsNotOrdinary) {
  const std::string svg = Svg({{"map", "object"}, {"pmap", "map"}, {"swap", "map"}});
  EXPECT_EQ(StyleOf(svg, "map -&gt; object"), "order cycle");
  EXPECT_EQ(StyleOf(svg, "object -&gt; pmap"), "unexercised cycle");
  EXPECT_EQ(StyleOf(svg, "pmap -&gt; map"), "exception cycle");
  EXPECT_EQ(StyleOf(svg, "swap -&gt; map"), "unapproved");
  EXPECT_NE(svg.find("Cycle, by exception: map -&gt; object -&gt; pmap -&gt; map (class-only)"),
            std::string::npos)
      << svg;
}

TEST(OrderSvg, IsWellFormedWhateverAClassIsCalled) {
  const std::string svg = Svg({{"map", "free & <queue>"}, {"a\"b\x01", "map"}});
  EXPECT_NE(svg.find(">free &amp; &lt;queue&gt;</text>"), std::string::npos);
  EXPECT_NE(svg.find("leaf"), std::string::npos);
  EXPECT_NE(svg.find("a&quot;b "), std::string::npos);
  EXPECT_EQ(svg.find('\x01'), std::string::npos);
  ExpectWellFormed(svg);
}

TEST(OrderSvg, AClassThatIsTakenInsideItselfHasALoop) {
  const std::string svg = Svg({{"map", "map"}});
  EXPECT_EQ(StyleOf(svg, "map -&gt; map"), "unapproved");
  std::smatch path;
  const std::regex loop(
      "d=\"M([0-9.]+) [0-9.]+ C([0-9.]+) [^\"]* ([0-9.]+) [0-9.]+\"[^>]*><title>"
      "map -&gt; map");
  ASSERT_TRUE(std::regex_search(svg, path, loop));
  EXPECT_EQ(path[1], path[3]);
  EXPECT_GT(std::stod(path[2]), std::stod(path[1]));
}

TEST(OrderSvg, OfNothingIsADrawing) {
  const OrderBook book;
  const std::string svg = OrderSvg(CheckOrder(book, {}, "2026-11-21"), book);
  EXPECT_TRUE(svg.starts_with("<svg "));
  ExpectWellFormed(svg);
}

}  // namespace
}  // namespace locking
