#include "stress/report/scale_plot.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "stress/report/text.h"

namespace stress {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr const char* kColours[] = {"steelblue", "darkorange", "purple"};
constexpr double kLeft = 90, kRight = 20, kTop = 50, kBottom = 60;

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += byte < 0x20 || byte >= 0x7f ? '?' : c;  // of a file's name, whose bytes may be any
  }
  return out;
}

// 1, 2 or 5 times a power of ten, so that some five of them make `range`.
double Step(double range) {
  const double rough = range / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power) return factor * power;
  return 10 * power;
}

class Plot {
 public:
  Plot(const ScalePlan& plan, const ScaleResult& result) : plan_(plan), result_(result) {
    for (const ScaleCurve& curve : result.curves) {
      for (const ScalePoint& point : curve.points) {
        most_threads_ = std::max<double>(most_threads_, point.threads);
        most_rate_ =
            std::max(most_rate_, *std::max_element(point.rates.begin(), point.rates.end()));
      }
    }
    const std::vector<ScalePoint>& first = result.curves.front().points;
    if (!first.empty() && first.front().threads == 1) rate_of_one_ = first.front().spread.median;
    most_rate_ = std::max(most_rate_, rate_of_one_ * std::min<double>(most_threads_, plan.cores));
    if (most_rate_ <= 0) most_rate_ = 1;
    most_rate_ *= 1.05;
  }

  std::string Svg() {
    const double x = Across(0), y = Down(0);
    out_ = Format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        kWidth, kHeight);
    Text(kLeft, kTop / 2, "start", "operations/s by threads: " + Headline());
    Line(x, y, Across(most_threads_), y, "black", "");
    Line(x, y, x, kTop, "black", "");
    Ticks();
    Cores();
    Perfect();
    for (std::size_t i = 0; i < result_.curves.size(); ++i) {
      const ScaleCurve& curve = result_.curves[i];
      const char* colour = kColours[i % std::size(kColours)];
      Law(curve);
      Points(curve, colour);
      if (result_.curves.size() > 1) Legend(i, curve, colour);
    }
    return out_ + "</svg>\n";
  }

 private:
  double Across(double threads) const {
    return kLeft + threads / most_threads_ * (kWidth - kLeft - kRight);
  }
  double Down(double rate) const {
    return kHeight - kBottom - rate / most_rate_ * (kHeight - kTop - kBottom);
  }
  std::string Headline() const {
    const RunPlan& run = plan_.runs.front();
    return Format("%s, %u rounds%s", run.scenario.name.substr(0, 60).c_str(), plan_.rounds,
                  run.pin ? ", pinned" : "");
  }

  void Line(double x1, double y1, double x2, double y2, const char* colour, const char* more) {
    out_ += Format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"%s/>\n", x1,
                   y1, x2, y2, colour, more);
  }
  void Text(double x, double y, const char* anchor, const std::string& text) {
    out_ += Format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                   Escaped(text).c_str());
  }

  void Ticks() {
    const double step = Step(most_rate_);
    for (double rate = 0; rate <= most_rate_; rate += step) {
      Line(kLeft - 4, Down(rate), kLeft, Down(rate), "black", "");
      Text(kLeft - 8, Down(rate) + 4, "end", Format("%.6g", rate));
    }
    for (const ScalePoint& point : result_.curves.front().points)
      Text(Across(point.threads), kHeight - kBottom + 18, "middle", Format("%u", point.threads));
    Text((kLeft + kWidth) / 2, kHeight - kBottom / 3, "middle", "threads");
  }

  void Cores() {
    if (plan_.cores >= most_threads_) return;
    const double x = Across(plan_.cores);
    Line(x, kTop, x, Down(0), "gray", " stroke-dasharray=\"2 4\"");
    Text(x + 4, kTop + 10, "start", Format("%u cores", plan_.cores));
  }

  void Perfect() {
    if (rate_of_one_ <= 0) return;
    const double threads = std::min(most_threads_, most_rate_ / rate_of_one_);
    Line(Across(0), Down(0), Across(threads), Down(threads * rate_of_one_), "gray",
         " class=\"perfect\" stroke-dasharray=\"6 4\"");
    Text(Across(threads) - 6, Down(threads * rate_of_one_) + 12, "end", "perfect");
  }

  void Law(const ScaleCurve& curve) {
    if (!curve.fit.has_value()) return;
    constexpr int kSegments = 100;
    out_ += "<polyline class=\"law\" fill=\"none\" stroke=\"green\" points=\"";
    for (int i = 0; i <= kSegments; ++i) {
      const double threads = 1 + (most_threads_ - 1) * i / kSegments;
      out_ += Format("%.1f,%.1f ", Across(threads),
                     Down(std::min(most_rate_, curve.fit->RateOf(threads))));
    }
    out_ += "\"/>\n";
  }

  void Points(const ScaleCurve& curve, const char* colour) {
    out_ += Format("<polyline class=\"curve\" fill=\"none\" stroke=\"%s\" points=\"", colour);
    for (const ScalePoint& point : curve.points)
      out_ += Format("%.1f,%.1f ", Across(point.threads), Down(point.spread.median));
    out_ += "\"/>\n";
    for (const ScalePoint& point : curve.points) {
      const auto [least, most] = std::minmax_element(point.rates.begin(), point.rates.end());
      const double x = Across(point.threads);
      Line(x, Down(*least), x, Down(*most), colour, " class=\"spread\" stroke-width=\"3\"");
      out_ += Format(
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"><title>%u threads: %.0f "
          "operations/s</title></circle>\n",
          x, Down(point.spread.median), colour, point.threads, point.spread.median);
    }
  }

  void Legend(std::size_t number, const ScaleCurve& curve, const char* colour) {
    const double y = kTop + 14 + 16 * static_cast<double>(number);
    Line(kLeft + 12, y - 4, kLeft + 36, y - 4, colour, " stroke-width=\"3\"");
    Text(kLeft + 42, y, "start", vm::LockDialectName(curve.locks));
  }

  const ScalePlan& plan_;
  const ScaleResult& result_;
  double most_threads_ = 1;
  double most_rate_ = 0;
  double rate_of_one_ = 0;
  std::string out_;
};

}  // namespace

std::string ScalePlot(const ScalePlan& plan, const ScaleResult& result) {
  return Plot(plan, result).Svg();
}

}  // namespace stress
