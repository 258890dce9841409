#include "locking/witness/order_svg.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>

#include "locking/witness/layered_drawing.h"

namespace locking {
namespace {

constexpr double kMargin = 30, kLevelHeight = 90, kBoxHeight = 28, kLineHeight = 18;
constexpr double kLetterWidth = 7.5, kBoxPadding = 20, kAside = 10;

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string Number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

double WidthOf(const std::string& name) {
  const auto letters =
      std::count_if(name.begin(), name.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return kLetterWidth * static_cast<double>(letters) + kBoxPadding;
}

// An edge as it is drawn. Approved ones come first: they decide the levels.
struct Arrow {
  std::string from, to;
  const char* style;  // a class of the style sheet
  std::string about;
};

class Drawing {
 public:
  Drawing(const OrderVerdict& verdict, const OrderBook& book) : verdict_(verdict), book_(book) {
    for (const OrderCycle& cycle : verdict.cycles)
      for (std::size_t i = 0; i < cycle.classes.size(); ++i)
        in_cycles_.insert({cycle.classes[i], cycle.classes[(i + 1) % cycle.classes.size()]});
    Collect();
    std::vector<double> widths(index_.size());
    for (const auto& [name, index] : index_) widths[index] = WidthOf(name);
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (const Arrow& arrow : arrows_) edges.emplace_back(index_[arrow.from], index_[arrow.to]);
    places_ = DrawInLevels(widths, edges);
  }

  std::string Svg() {
    const std::vector<std::string> lines = Legend();
    double width = places_.width;
    for (const std::string& line : lines) width = std::max(width, WidthOf(line));
    const double below = kMargin + places_.levels * kLevelHeight;
    const double height = below + static_cast<double>(lines.size()) * kLineHeight + kMargin;
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " +
           Number(width + 2 * kMargin) + " " + Number(height) +
           "\" font-family=\"sans-serif\" font-size=\"13\">\n" + kStyle +
           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    for (std::size_t i = 0; i < arrows_.size(); ++i) DrawArrow(arrows_[i], places_.edges[i]);
    for (const auto& [name, index] : index_) DrawBox(name, places_.nodes[index]);
    double y = below + kLineHeight;
    for (const std::string& line : lines) {
      out_ += "<text x=\"" + Number(kMargin) + "\" y=\"" + Number(y) + "\">" + Escaped(line) +
              "</text>\n";
      y += kLineHeight;
    }
    return out_ + "</svg>\n";
  }

 private:
  static constexpr const char* kStyle =
      "<style>path{fill:none;stroke-width:1.2} path.order{stroke:#555} "
      "path.exception{stroke:orange;"
      "stroke-width:2} path.unapproved{stroke:red;stroke-width:2} path.unexercised{stroke:#999;"
      "stroke-dasharray:5 4} path.cycle{stroke-width:4} rect.class{fill:white;stroke:black} "
      "rect.leaf{fill:#eef6ee} rect.cycle{stroke:red;stroke-width:3} "
      "text.class{text-anchor:middle}</style>\n"
      "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
      "markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 8 4 0 8Z\" "
      "style=\"fill:context-stroke;stroke:none\"/></marker></defs>\n";

  void Collect() {
    for (const JudgedEdge& judged : verdict_.edges)
      if (judged.approval == Approval::kByOrder) Add(judged, "order");
    for (const ClassPair& pair : verdict_.unexercised)
      Add({pair.first, pair.second, "unexercised", "declared, not exercised"});
    for (const JudgedEdge& judged : verdict_.edges)
      if (judged.approval == Approval::kByException) Add(judged, "exception");
    for (const JudgedEdge& judged : verdict_.edges)
      if (!judged.approved()) Add(judged, "unapproved");
    for (const std::string& leaf : book_.leaves()) index_.try_emplace(leaf, index_.size());
  }
  void Add(const JudgedEdge& judged, const char* style) {
    const ObservedEdge& edge = judged.edge;
    Add({edge.from, edge.to, style, std::to_string(edge.count) + " times: " + judged.why});
  }
  void Add(Arrow arrow) {
    index_.try_emplace(arrow.from, index_.size());
    index_.try_emplace(arrow.to, index_.size());
    arrows_.push_back(std::move(arrow));
  }

  static double Across(const DrawingPoint& point) { return kMargin + point.x; }
  static double Down(const DrawingPoint& point) {
    return kMargin + kBoxHeight / 2 + point.level * kLevelHeight;
  }

  // From the lower edge of one box to the upper edge of the other; bent where it passes a level.
  // One that runs upwards stands beside the one that runs down.
  void DrawArrow(const Arrow& arrow, const std::vector<DrawingPoint>& points) {
    const bool down = points.back().level > points.front().level;
    const double side = down ? kBoxHeight / 2 : -kBoxHeight / 2;
    const double aside = down ? 0 : kAside;
    double x = Across(points.front()) + aside, y = Down(points.front()) + side;
    std::string path = "M" + Number(x) + " " + Number(y);
    for (std::size_t i = 1; i < points.size(); ++i) {
      const double to_x = Across(points[i]) + aside;
      const double to_y = Down(points[i]) - (i + 1 == points.size() ? side : 0);
      const double middle = (y + to_y) / 2;
      path += " C" + Number(x) + " " + Number(middle) + " " + Number(to_x) + " " + Number(middle) +
              " " + Number(to_x) + " " + Number(to_y);
      x = to_x;
      y = to_y;
    }
    if (arrow.from == arrow.to)
      path = Loop(Across(points.front()), Down(points.front()), arrow.from);
    const bool cycle = in_cycles_.contains({arrow.from, arrow.to});
    out_ += "<path class=\"" + std::string(arrow.style) + (cycle ? " cycle" : "") + "\" d=\"" +
            path + "\" marker-end=\"url(#head)\"><title>" +
            Escaped(arrow.from + " -> " + arrow.to + ": " + arrow.about) + "</title></path>\n";
  }

  // At the right end of the box, out and back.
  static std::string Loop(double x, double y, const std::string& name) {
    const double right = x + WidthOf(name) / 2, out = right + 2 * kAside;
    const double upper = y - kBoxHeight / 4, lower = y + kBoxHeight / 4;
    return "M" + Number(right) + " " + Number(upper) + " C" + Number(out) + " " + Number(upper) +
           " " + Number(out) + " " + Number(lower) + " " + Number(right) + " " + Number(lower);
  }

  void DrawBox(const std::string& name, const DrawingPoint& point) {
    const bool cycle = std::any_of(
        in_cycles_.begin(), in_cycles_.end(),
        [&](const ClassPair& pair) { return pair.first == name || pair.second == name; });
    const double width = WidthOf(name);
    out_ += "<rect class=\"class" + std::string(book_.IsLeaf(name) ? " leaf" : "") +
            (cycle ? " cycle" : "") + "\" x=\"" + Number(Across(point) - width / 2) + "\" y=\"" +
            Number(Down(point) - kBoxHeight / 2) + "\" width=\"" + Number(width) + "\" height=\"" +
            Number(kBoxHeight) + "\" rx=\"" + (book_.IsLeaf(name) ? "12" : "2") +
            "\"/>\n<text class=\"class\" x=\"" + Number(Across(point)) + "\" y=\"" +
            Number(Down(point) + 4) + "\">" + Escaped(name) + "</text>\n";
  }

  std::vector<std::string> Legend() const {
    std::vector<std::string> lines = {
        "Lock order: a class is taken inside those above it. Red: not approved; orange: by "
        "exception;",
        "dashed: declared, not exercised; green: a leaf; thick: in a cycle."};
    for (const OrderCycle& cycle : verdict_.cycles) {
      std::string line = cycle.approved ? "Cycle, by exception: " : "Cycle: ";
      for (const std::string& name : cycle.classes) line += name + " -> ";
      lines.push_back(line + cycle.classes.front() + " (" + cycle.tier + ")");
    }
    return lines;
  }

  const OrderVerdict& verdict_;
  const OrderBook& book_;
  std::set<ClassPair> in_cycles_;
  std::vector<Arrow> arrows_;
  std::map<std::string, std::size_t> index_;  // of each class
  LayeredDrawing places_;
  std::string out_;
};

}  // namespace

std::string OrderSvg(const OrderVerdict& verdict, const OrderBook& book) {
  return Drawing(verdict, book).Svg();
}

}  // namespace locking
