#include "stress/report/order_report.h"

#include <algorithm>

#include "locking/witness/order_output.h"
#include "stress/command/build_info.h"
#include "stress/report/run_report.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

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
  return TextReport(judged);
}

}  // namespace stress
