// Reads what order_report.cc writes, from a file that may hold anything.
#include <nlohmann/json.hpp>

#include "locking/witness/order_graph.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/report/order_report.h"

namespace stress {
namespace {

using Json = nlohmann::json;
using locking::LockMode;

constexpr char kSchema[] = "vmstress.lockorder/1";

// What is read is printed again: control characters are none of it.
std::string Text(const Json& json) {
  std::string text = json.get<std::string>();
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

std::vector<std::string> Texts(const Json& json) {
  std::vector<std::string> texts;
  for (const auto& [index, text] : json.items()) texts.push_back(Text(text));
  return texts;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : where_(OneLine(path)) {}

  OrderResult Read(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) FailUsage(where_ + ": is not JSON, or was cut off");
    const bool named = json.is_object() && json.contains("schema") && json["schema"].is_string();
    const std::string schema = named ? json["schema"].get<std::string>() : "";
    if (schema != kSchema)
      FailUsage(where_ + ": is no result that can be merged" +
                (schema.empty() ? "" : ": " + OneLine(schema)) + "; accepted: " + kSchema);
    try {
      return Whole(json);
    } catch (const Json::exception& error) {
      FailUsage(where_ + ": is no whole result of " + kSchema + ": " + OneLine(error.what()));
    }
  }

 private:
  std::uint64_t Count(const Json& json) const {
    if (!json.is_number_unsigned())
      FailUsage(where_ + ": is no whole result of " + kSchema + ": " +
                OneLine(json.dump(-1, ' ', true, Json::error_handler_t::replace)) +
                " stands for a count; accepted: an integer from 0 on");
    return json.get<std::uint64_t>();
  }

  LockMode Mode(const Json& json) const {
    const std::string name = Text(json);
    if (name != "exclusive" && name != "shared")
      FailUsage(where_ + ": is no whole result of " + kSchema + ": \"" + OneLine(name) +
                "\" stands for a mode; accepted: exclusive, shared");
    return name == "shared" ? LockMode::kShared : LockMode::kExclusive;
  }

  locking::ObservedLock Lock(const Json& json) const {
    return {.instance = static_cast<std::uint32_t>(Count(json.at("instance"))),
            .mode = Mode(json.at("mode")),
            .site = Text(json.at("site")),
            .stack = Texts(json.at("stack"))};
  }

  locking::ObservedEdge Edge(const Json& json) const {
    locking::ObservedEdge edge;
    edge.from = Text(json.at("from"));
    edge.to = Text(json.at("to"));
    edge.count = Count(json.at("count"));
    for (const auto& [index, pair] : json.at("modes").items())
      edge.modes |= locking::ModesBit(Mode(pair.at(0)), Mode(pair.at(1)));
    for (const auto& [index, sample] : json.at("samples").items())
      edge.samples.push_back({.thread = Text(sample.at("thread")),
                              .held = Lock(sample.at("held")),
                              .taken = Lock(sample.at("taken")),
                              .run = Text(sample.at("run"))});
    return edge;
  }

  CountedFinding Finding(const Json& json, bool fails) const {
    locking::Finding finding;
    finding.id = Text(json.at("id"));
    finding.tier = Text(json.at("tier"));
    finding.title = Text(json.at("title"));
    finding.classes = Texts(json.at("classes"));
    for (const auto& [index, thread] : json.at("threads").items())
      finding.threads.push_back({.thread = Text(thread.at("thread")),
                                 .what = Text(thread.at("what")),
                                 .held = Texts(thread.at("held")),
                                 .stack = Texts(thread.at("stack")),
                                 .site = Text(thread.at("site"))});
    finding.log_tail = Texts(json.at("log_tail"));
    finding.replay = Text(json.at("replay"));
    finding.signature = Text(json.at("signature"));
    return {std::move(finding), Count(json.at("count")), fails};
  }

  OrderResult Whole(const Json& json) const {
    OrderResult result;
    for (const auto& [index, edge] : json.at("edges").items())
      result.order.edges.push_back(Edge(edge));
    locking::SortAndUnite(&result.order);
    result.order.dropped = Count(json.at("dropped"));
    for (const auto& [index, dropped] : json.at("dropped_classes").items())
      result.order.dropped_by_class[Text(dropped.at("class"))] += Count(dropped.at("acquisitions"));
    for (const bool fails : {true, false})
      for (const auto& [index, finding] : json.at(fails ? "failures" : "listed").items())
        result.findings.push_back(Finding(finding, fails));
    return result;
  }

  const std::string where_;
};

}  // namespace

OrderResult ReadOrderResult(const std::string& text, const std::string& path) {
  return Reader(path).Read(text);
}

}  // namespace stress
