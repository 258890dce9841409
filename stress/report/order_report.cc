#include "stress/report/order_report.h"

#include <algorithm>

#include "locking/witness/order_output.h"
#include "locking/witness/order_svg.h"
#include "stress/command/build_info.h"
#include "stress/config/error.h"
#include "stress/report/run_report.h"
#include "stress/report/sarif.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDrawnEdgesMax =
    1000;  // more make no picture, and take space by their square

std::string TextReport(const OrderJudgement& judged) {
  std::string text;
  for (const CountedFinding& counted : judged.findings)
    text += (counted.fails ? "failure: " : "listed: ") + FindingLine(counted) + "\n";
  return text + locking::OrderText(judged.order, judged.book);
}

std::string JsonReport(const OrderJudgement& judged) {
  Json json = {{"schema", "vmstress.lockorder/1"},
               {"build", BuildJson()},
               {"host", HostJson()},
               {"verdict", judged.Failed() ? "failed" : "clean"}};
  const Json order = locking::OrderJson(judged.order, judged.book);
  for (const auto& [key, value] : order.items()) json[key] = value;
  json["failures"] = FindingsJson(judged.findings, true);
  json["listed"] = FindingsJson(judged.findings, false);
  return JsonText(json);
}

bool SameCycle(const std::vector<std::string>& a, std::vector<std::string> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t turn = 0; turn < b.size(); ++turn) {
    if (a == b) return true;
    std::rotate(b.begin(), b.begin() + 1, b.end());
  }
  return false;
}

// Findings of the runs, orders that are not in the book, and cycles of which no finding speaks.
std::vector<CountedFinding> AllFindings(const OrderJudgement& judged) {
  std::vector<CountedFinding> all = judged.findings;
  for (const locking::Finding& finding : locking::OrderFindings(judged.order))
    all.push_back({finding, 1, true});
  const std::vector<locking::Finding> cycles = locking::CycleFindings(judged.order, judged.book);
  for (std::size_t i = 0; i < cycles.size(); ++i) {
    const bool told = std::any_of(
        judged.findings.begin(), judged.findings.end(), [&](const CountedFinding& counted) {
          return counted.fails && SameCycle(counted.finding.classes, cycles[i].classes);
        });
    if (!told) all.push_back({cycles[i], 1, !judged.order.cycles[i].approved});
  }
  return all;
}

std::string SvgReport(const OrderJudgement& judged) {
  const std::size_t edges = judged.order.edges.size() + judged.order.unexercised.size();
  if (edges > kDrawnEdgesMax)
    FailUsage("--format=svg: " + std::to_string(edges) + " edges; accepted: at most " +
              std::to_string(kDrawnEdgesMax) + ", or --format=dot");
  return locking::OrderSvg(judged.order, judged.book);
}

std::string SarifReport(const OrderJudgement& judged) {
  std::vector<SarifNotice> notices;
  for (const std::string& note : judged.order.notes) notices.push_back({"note", note});
  for (const auto& [name, dropped] : judged.order.dropped_by_class)
    notices.push_back({"warning", "the witness did not keep " + std::to_string(dropped) +
                                      " acquisitions of " + name +
                                      " for want of memory: orders that end in it may be missing"});
  return JsonText(SarifLog("lockorder", AllFindings(judged), notices));
}

}  // namespace

void MergeInto(OrderResult* result, const OrderResult& other) {
  result->order = locking::Merge(result->order, other.order);
  for (const CountedFinding& counted : other.findings) {
    const auto same = std::find_if(result->findings.begin(), result->findings.end(),
                                   [&](const CountedFinding& known) {
                                     return known.finding.signature == counted.finding.signature &&
                                            known.finding.tier == counted.finding.tier;
                                   });
    if (same == result->findings.end())
      result->findings.push_back(counted);
    else
      same->count += counted.count;
  }
}

bool OrderJudgement::Failed() const {
  return order.Failed() || std::any_of(findings.begin(), findings.end(),
                                       [](const CountedFinding& counted) { return counted.fails; });
}

OrderJudgement JudgeOrder(const locking::OrderBook& book, const OrderResult& result,
                          const std::string& today) {
  OrderJudgement judged{book, locking::CheckOrder(book, result.order, today), result.findings};
  std::vector<locking::Finding> findings;
  for (const CountedFinding& counted : result.findings) findings.push_back(counted.finding);
  locking::GiveTiers(findings, &judged.order);
  return judged;
}

std::string OrderReport(const std::string& format, const OrderJudgement& judged) {
  if (format == "dot") return locking::OrderDot(judged.order, judged.book);
  if (format == "json") return JsonReport(judged);
  if (format == "svg") return SvgReport(judged);
  if (format == "sarif") return SarifReport(judged);
  return TextReport(judged);
}

}  // namespace stress
