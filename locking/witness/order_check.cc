#include "locking/witness/order_check.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "locking/witness/cycle_search.h"

namespace locking {
namespace {

std::string Arrow(const std::string& from, const std::string& to) { return from + " -> " + to; }

// A file alone covers all its lines.
bool Covers(const std::string& declared, const std::string& site) {
  return site == declared ||
         (site.starts_with(declared) && site.size() > declared.size() &&
          site[declared.size()] == ':' && declared.find(':') == std::string::npos);
}

// One year from `today`, for the text of an exception that somebody is to complete.
std::string InAYear(const std::string& today) {
  const std::string day = today.substr(4) == "-02-29" ? "-02-28" : today.substr(4);
  return std::to_string(std::stoi(today.substr(0, 4)) + 1) + day;
}

bool HoldsExclusively(const HeldLocks& locks, const std::string& name) {
  for (std::uint32_t i = 0; i < locks.size(); ++i)
    if (locks.at(i).mode() == LockMode::kExclusive &&
        locks.at(i).lock_class.load(std::memory_order_relaxed)->name() == name)
      return true;
  return false;
}

// 0: no tier of a cycle.
int RankOf(std::string_view tier) {
  const int strongest = static_cast<int>(Tier::kProvable);
  for (int i = 0; i <= strongest; ++i)
    if (TierName(static_cast<Tier>(i)) == tier) return i + 1;
  return tier == "confirmed" ? strongest + 2 : 0;
}

void AddSides(const ObservedEdge& edge, const ObservedOrder& sample, Finding* finding) {
  finding->threads.push_back({ThreadOf(sample),
                              "took " + edge.from + " at " + sample.held.site,
                              {},
                              sample.held.stack,
                              sample.held.site});
  finding->threads.push_back({ThreadOf(sample),
                              "then took " + edge.to + " at " + sample.taken.site,
                              {},
                              sample.taken.stack,
                              sample.taken.site});
}

class Checker {
 public:
  Checker(const OrderBook& book, const OrderSnapshot& observed, const std::string& today)
      : book_(book), observed_(observed), today_(today), used_(book.exceptions().size(), false) {}

  OrderVerdict Check() {
    verdict_.dropped = observed_.dropped;
    verdict_.dropped_by_class = observed_.dropped_by_class;
    for (const ObservedEdge& edge : observed_.edges) verdict_.edges.push_back(Judge(edge));
    FindUnexercised();
    FindCycles();
    return std::move(verdict_);
  }

 private:
  JudgedEdge Judge(const ObservedEdge& edge) {
    if (edge.from == edge.to) return JudgeWithin(edge);
    JudgedEdge judged;
    judged.edge = edge;
    if (book_.Allows(edge.from, edge.to)) {
      judged.approval = Approval::kByOrder;
      judged.why = book_.IsLeaf(edge.to) ? edge.to + " is a leaf" : "declared order";
      return judged;
    }
    std::string open_site;
    if (CoveredByExceptions(edge, &open_site)) {
      judged.approval = Approval::kByException;
      judged.why = "exception";
      return judged;
    }
    const bool contrary = book_.IsLeaf(edge.from) || book_.Allows(edge.to, edge.from);
    judged.approval = contrary ? Approval::kContrary : Approval::kUndeclared;
    judged.why = book_.IsLeaf(edge.from) ? edge.from + " is declared a leaf"
                 : contrary              ? "the declared order is " + Arrow(edge.to, edge.from)
                                         : "no order of the two is declared";
    judged.why += ExceptionNote(edge);
    judged.to_add = contrary ? ExceptionText(edge, open_site)
                             : "[\"" + edge.from + "\", \"" + edge.to + "\"],  # " + open_site;
    return judged;
  }

  // Two locks of one class.
  JudgedEdge JudgeWithin(const ObservedEdge& edge) {
    JudgedEdge judged;
    judged.edge = edge;
    const SameClassOrder* declared = book_.OrderWithin(edge.from);
    // What was held beside the two is not known here: with `under` any order may be right.
    const bool by_instance = declared != nullptr && declared->under.empty() &&
                             declared->order == InstanceOrder::kByInstance;
    const bool against =
        by_instance &&
        std::any_of(edge.samples.begin(), edge.samples.end(), [](const ObservedOrder& sample) {
          return sample.held.instance >= sample.taken.instance;
        });
    std::string open_site;
    if (declared != nullptr && !against) {
      judged.approval = Approval::kByOrder;
      judged.why = "declared order within the class";
    } else if (CoveredByExceptions(edge, &open_site)) {
      judged.approval = Approval::kByException;
      judged.why = "exception";
    } else if (against) {
      judged.approval = Approval::kContrary;
      judged.why = "the declared order is that of their numbers" + ExceptionNote(edge);
      judged.to_add = ExceptionText(edge, open_site);
    } else {
      judged.approval = Approval::kUndeclared;
      judged.why = "no order of two locks of the class is declared" + ExceptionNote(edge);
      judged.to_add = "[[same_class]]\nclass = \"" + edge.from +
                      "\"\norder = \"by-instance\"\nreason = \"why they are taken so\"";
    }
    return judged;
  }

  std::string ExceptionText(const ObservedEdge& edge, const std::string& site) const {
    return "[[exception]]\nfrom = \"" + edge.from + "\"\nto = \"" + edge.to + "\"\nsite = \"" +
           site + "\"\nreason = \"why this cannot deadlock\"\nexpires = " + InAYear(today_);
  }

  // Whether an exception that still holds covers each call site; `open` becomes the first that is
  // not covered.
  bool CoveredByExceptions(const ObservedEdge& edge, std::string* open) {
    for (const ObservedOrder& sample : edge.samples) {
      bool covered = false;
      for (std::size_t i = 0; i < used_.size(); ++i) {
        const OrderException& exception = book_.exceptions()[i];
        if (exception.from != edge.from || exception.to != edge.to || exception.expires < today_ ||
            !Covers(exception.site, sample.taken.site))
          continue;
        covered = used_[i] = true;
      }
      if (covered) continue;
      *open = sample.taken.site;
      return false;
    }
    return !edge.samples.empty();
  }

  std::string ExceptionNote(const ObservedEdge& edge) const {
    for (const OrderException& exception : book_.exceptions()) {
      if (exception.from != edge.from || exception.to != edge.to) continue;
      if (exception.expires < today_) return "; its exception expired on " + exception.expires;
      return "; its exception is for " + exception.site;
    }
    return "";
  }

  void FindUnexercised() {
    for (const ClassPair& pair : book_.pairs())
      if (observed_.Find(pair.first, pair.second) == nullptr) verdict_.unexercised.push_back(pair);
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const OrderException& exception = book_.exceptions()[i];
      const std::string text = book_.file() + ":" + std::to_string(exception.line) +
                               ": exception " + Arrow(exception.from, exception.to) + " at " +
                               exception.site;
      if (exception.expires < today_)
        verdict_.notes.push_back(text + " expired on " + exception.expires);
      else if (!used_[i])
        verdict_.notes.push_back(text + " covers nothing that was observed");
    }
    for (const std::string& leaf : book_.leaves()) {
      const bool taken = std::any_of(observed_.edges.begin(), observed_.edges.end(),
                                     [&](const ObservedEdge& edge) { return edge.to == leaf; });
      if (!taken) verdict_.notes.push_back("leaf " + leaf + " was never taken inside a lock");
    }
  }

  void FindCycles() {
    std::set<ClassPair> excepted;
    std::map<std::string, std::vector<std::string>> inside;
    for (const ClassPair& pair : book_.pairs()) inside[pair.first].push_back(pair.second);
    for (const JudgedEdge& judged : verdict_.edges) {
      inside[judged.edge.from].push_back(judged.edge.to);
      if (judged.approval == Approval::kByException)
        excepted.insert({judged.edge.from, judged.edge.to});
    }
    std::set<std::vector<std::string>> seen;
    for (const JudgedEdge& judged : verdict_.edges) {
      if (judged.edge.from == judged.edge.to) continue;
      std::vector<std::string> cycle = PathBetween(inside, judged.edge.to, judged.edge.from);
      if (cycle.empty()) continue;
      bool approved = false;
      for (std::size_t i = 0; i < cycle.size(); ++i)
        approved = approved || excepted.contains({cycle[i], cycle[(i + 1) % cycle.size()]});
      std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
      if (seen.insert(cycle).second) verdict_.cycles.push_back({std::move(cycle), approved});
    }
  }

  // The shortest path, both ends included; empty if there is none.
  static std::vector<std::string> PathBetween(
      const std::map<std::string, std::vector<std::string>>& inside, const std::string& from,
      const std::string& to) {
    std::map<std::string, std::string> reached_from{{from, ""}};
    std::deque<std::string> queue{from};
    while (!queue.empty() && !reached_from.contains(to)) {
      const std::string name = queue.front();
      queue.pop_front();
      const auto next = inside.find(name);
      if (next == inside.end()) continue;
      for (const std::string& inner : next->second)
        if (reached_from.emplace(inner, name).second) queue.push_back(inner);
    }
    std::vector<std::string> path;
    if (!reached_from.contains(to)) return path;
    for (std::string at = to; !at.empty(); at = reached_from[at]) path.push_back(at);
    std::reverse(path.begin(), path.end());
    return path;
  }

  const OrderBook& book_;
  const OrderSnapshot& observed_;
  const std::string today_;
  std::vector<bool> used_;  // by exception
  OrderVerdict verdict_;
};

}  // namespace

bool OrderVerdict::Failed() const {
  return std::any_of(edges.begin(), edges.end(),
                     [](const JudgedEdge& edge) { return !edge.approved(); }) ||
         std::any_of(cycles.begin(), cycles.end(),
                     [](const OrderCycle& cycle) { return !cycle.approved; });
}

OrderVerdict CheckOrder(const OrderBook& book, const OrderSnapshot& observed,
                        const std::string& today) {
  return Checker(book, observed, today).Check();
}

void GiveTiers(const std::vector<Finding>& findings, OrderVerdict* verdict) {
  for (OrderCycle& cycle : verdict->cycles) {
    int best = 0;
    for (const Finding& finding : findings) {
      std::vector<std::string> classes = finding.classes;
      if (classes.empty()) continue;
      std::rotate(classes.begin(), std::min_element(classes.begin(), classes.end()), classes.end());
      if (classes != cycle.classes || RankOf(finding.tier) <= best) continue;
      best = RankOf(finding.tier);
      cycle.tier = finding.tier;
    }
  }
}

std::string UpdatedBook(const OrderBook& book, const OrderVerdict& verdict) {
  std::vector<std::pair<ClassPair, std::string>> added;
  for (const JudgedEdge& judged : verdict.edges)
    if (judged.approval == Approval::kUndeclared && judged.edge.from != judged.edge.to)
      added.push_back({{judged.edge.from, judged.edge.to},
                       judged.edge.samples.empty() ? std::string("observed")
                                                   : judged.edge.samples[0].taken.site});
  return book.TextWith(added);
}

const JudgedEdge* OrderVerdict::Find(const std::string& from, const std::string& to) const {
  const auto found = std::find_if(edges.begin(), edges.end(), [&](const JudgedEdge& judged) {
    return judged.edge.from == from && judged.edge.to == to;
  });
  return found == edges.end() ? nullptr : &*found;
}

std::vector<Finding> CycleFindings(const OrderVerdict& verdict, const OrderBook& book) {
  std::vector<Finding> findings;
  for (const OrderCycle& cycle : verdict.cycles) {
    Finding finding;
    bool reads = false;
    finding.tier = cycle.tier;
    finding.classes = cycle.classes;
    std::string path;
    for (std::size_t i = 0; i < cycle.classes.size(); ++i) {
      const std::string& from = cycle.classes[i];
      const std::string& to = cycle.classes[(i + 1) % cycle.classes.size()];
      path += from + " -> ";
      const JudgedEdge* judged = verdict.Find(from, to);
      if (judged == nullptr)
        finding.threads.push_back({book.file(), "declares " + Arrow(from, to), {}, {}});
      if (judged == nullptr || judged->edge.samples.empty()) continue;
      const ObservedOrder& sample = judged->edge.samples.front();
      reads =
          reads || sample.held.mode == LockMode::kShared || sample.taken.mode == LockMode::kShared;
      AddSides(judged->edge, sample, &finding);
    }
    path += cycle.classes.front();
    finding.id = reads ? "LK07" : cycle.classes.size() > 2 ? "LK03" : "LK02";
    finding.title = "lock order cycle: " + path + (cycle.approved ? ", by exception" : "");
    finding.signature = finding.id + ": " + path;
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> OrderFindings(const OrderVerdict& verdict) {
  std::vector<Finding> findings;
  for (const JudgedEdge& judged : verdict.edges) {
    if (judged.approved()) continue;
    const ObservedEdge& edge = judged.edge;
    Finding finding;
    finding.id = "LK12";
    std::string to_add = judged.to_add;
    std::replace(to_add.begin(), to_add.end(), '\n', ' ');
    finding.title = "order not in the book: " + Arrow(edge.from, edge.to) + ": " + judged.why +
                    "; if it is meant, add " + to_add;
    finding.signature = "LK12: " + Arrow(edge.from, edge.to);
    for (const ObservedOrder& sample : edge.samples) AddSides(edge, sample, &finding);
    findings.push_back(std::move(finding));
  }
  return findings;
}

SameClassPredicate SameClassRule(const OrderBook& book) {
  return [book](const LockClass& lock_class, std::uint32_t held, std::uint32_t taken,
                const HeldLocks& locks) {
    const SameClassOrder* declared = book.OrderWithin(lock_class.name());
    if (declared == nullptr) return SameClass::kUndeclared;
    const bool in_order = declared->order == InstanceOrder::kAny ||
                          (declared->order == InstanceOrder::kByInstance && held < taken) ||
                          HoldsExclusively(locks, declared->under);
    return in_order ? SameClass::kInOrder : SameClass::kAgainst;
  };
}

}  // namespace locking
