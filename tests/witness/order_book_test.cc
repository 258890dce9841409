// The order book: what it declares, what is wrong with it, and what it says about observed orders.
#include "locking/witness/order_book.h"

#include <gtest/gtest.h>

#include "locking/witness/order_check.h"
#include "locking/witness/order_output.h"

namespace locking {
namespace {

constexpr const char* kToday = "2026-11-21";

constexpr const char* kBook = R"(# The order of the locks.
order = [
  ["map", "object", "page queues"],  # as in the book
  ["object", "pmap"]
]
leaves = ["free queue"]

[[same_class]]
class = "map entry"
order = "by-instance"
reason = "by address"

[[exception]]
from = "pmap"
to = "object"
site = "vm/pmap.cc:88"
reason = "not visible yet"
expires = 2027-06-30
)";

OrderBook Book(const std::string& text = kBook) {
  std::vector<std::string> errors;
  const std::optional<OrderBook> book = OrderBook::Parse(text, "book.toml", &errors);
  for (const std::string& error : errors) ADD_FAILURE() << error;
  return book.value_or(OrderBook());
}

ObservedEdge Edge(const std::string& from, const std::string& to,
                  const std::string& site = "vm/x.cc:7") {
  ObservedEdge edge{.from = from, .to = to, .count = 3, .modes = 1, .samples = {}};
  edge.samples.push_back({"worker 1",
                          {1, LockMode::kExclusive, "vm/held.cc:5", {"Outer vm/held.cc:5"}},
                          {2, LockMode::kShared, site, {"Inner " + site}}});
  return edge;
}

OrderSnapshot Observed(std::vector<ObservedEdge> edges) {
  OrderSnapshot snapshot;
  snapshot.edges = std::move(edges);
  SortAndUnite(&snapshot);
  return snapshot;
}

OrderVerdict Check(std::vector<ObservedEdge> edges, const std::string& today = kToday,
                   const std::string& text = kBook) {
  return CheckOrder(Book(text), Observed(std::move(edges)), today);
}

TEST(OrderBook, AllowsWhatChainsSayTransitively) {
  const OrderBook book = Book();
  EXPECT_TRUE(book.Allows("map", "object"));
  EXPECT_TRUE(book.Allows("map", "page queues"));
  EXPECT_TRUE(book.Allows("map", "pmap"));
  EXPECT_FALSE(book.Allows("pmap", "page queues"));
  EXPECT_FALSE(book.Allows("object", "map"));
}

TEST(OrderBook, LeavesMayBeTakenInsideAnythingButALeaf) {
  const OrderBook book = Book("leaves = [\"a\", \"b\"]");
  EXPECT_TRUE(book.Allows("anything", "a"));
  EXPECT_FALSE(book.Allows("a", "anything"));
  EXPECT_FALSE(book.Allows("a", "b"));
}

TEST(OrderBook, SameClassRuleComparesInstances) {
  const auto rule = SameClassRule(Book());
  const LockClass declared("map entry", LockKind::kMutex);
  const LockClass other("object", LockKind::kMutex);
  const HeldLocks nothing;
  EXPECT_EQ(rule(declared, 1, 2, nothing), SameClass::kInOrder);
  EXPECT_EQ(rule(declared, 2, 1, nothing), SameClass::kAgainst);
  EXPECT_EQ(rule(other, 1, 2, nothing), SameClass::kUndeclared);
}

struct BadBook {
  const char* text;
  const char* error;
};

TEST(OrderBook, SaysWhereItIsWrongAndWhatIsAccepted) {
  const BadBook books[] = {
      {"order = [[\"a\"]]",
       "book.toml:1: a chain of `order` is no array of two or more class names; accepted: "
       "[\"map\", \"object\"], the outer one first"},
      {"\norder = 3",
       "book.toml:2: `order` is no array; accepted: an array of chains, [[\"map\", "
       "\"object\"]]"},
      {"order = [[\"a\", 3]]",
       "book.toml:1: a chain of `order` holds something that is no class name; accepted: strings"},
      {"order = [[\"a\", \"a\"]]",
       "book.toml:1: `a` stands inside itself; accepted: "
       "[[same_class]] for two instances of one class"},
      {"order = [[\"a\", \"b\", \"c\"],\n[\"c\", \"a\"]]",
       "book.toml:1: the declared order has a cycle: `a` -> `b`, and by other chains `b` -> `a`; "
       "accepted: chains that agree"},
      {"ordr = []",
       "book.toml:1: unknown key `ordr`; accepted: `order`, `leaves`, `same_class`, "
       "`exception`; did you mean `order`?"},
      {"leaves = \"a\"", "book.toml:1: `leaves` is no array; accepted: class names"},
      {"leaves = [1]",
       "book.toml:1: `leaves` holds something that is no class name; accepted: strings"},
      {"leaves = [\"a\", \"a\"]", "book.toml:1: `a` is a leaf twice; accepted: once"},
      {"order = [[\"a\", \"b\"]]\nleaves = [\"a\"]",
       "book.toml:2: `a` is a leaf, and a chain takes `b` inside it; accepted: a leaf at the end "
       "of its chains"},
      {"exception = 1", "book.toml:1: `exception` is no array of tables; accepted: [[exception]]"},
      {"exception = [1]",
       "book.toml:1: `exception` holds something that is no table; accepted: [[exception]]"},
      {"[[exception]]\nfrom = \"a\"\nto = \"b\"\nsite = \"s\"\nreason = \"\"\nexpires = 2027-01-01",
       "book.toml:5: `reason` is no text; accepted: a string"},
      {"[[exception]]\nfrom = \"a\"\nto = \"b\"\nsite = \"s\"\nreason = \"r\"",
       "book.toml:1: `expires` is missing; accepted: a day, 2027-06-30"},
      {"[[exception]]\nfrom = \"a\"\nto = \"b\"\nsite = \"s\"\nreason = \"r\"\nexpires = \"soon\"",
       "book.toml:6: `expires` is no day; accepted: 2027-06-30, without quotes"},
      {"[[exception]]\nto = \"b\"\nsite = \"s\"\nreason = \"r\"\nexpires = 2027-01-01",
       "book.toml:1: `from` is missing; accepted: a string"},
      {"[[same_class]]\nclass = \"a\"\norder = \"by-instanc\"\nreason = \"r\"",
       "book.toml:3: `order` is `by-instanc`; accepted: `by-instance`, `any`; did you mean "
       "`by-instance`?"},
      {"[[same_class]]\nclass = \"a\"\nreason = \"r\"",
       "book.toml:1: `order` is missing; accepted: a string"},
      {"[[same_class]]\nclass = \"a\"\norder = \"any\"\nunder = \"b\"\nreason = \"r\"",
       "book.toml:4: `under` adds nothing to the order `any`; accepted: one of the two"},
      {"[[same_class]]\nclass = \"a\"\nunder = \"a\"\nreason = \"r\"",
       "book.toml:3: `a` is under itself; accepted: another class"},
      {"[[same_class]]\nclass = \"a\"\nunder = 3\nreason = \"r\"",
       "book.toml:3: `under` is no text; accepted: a string"},
      {"[[same_class]]\nclass = \"a\"\norder = \"any\"\nreason = \"r\"\n"
       "[[same_class]]\nclass = \"a\"\norder = \"any\"\nreason = \"r\"",
       "book.toml:5: `a` has an order of its instances already; accepted: one"},
  };
  for (const BadBook& bad : books) {
    std::vector<std::string> errors;
    EXPECT_FALSE(OrderBook::Parse(bad.text, "book.toml", &errors).has_value()) << bad.text;
    ASSERT_FALSE(errors.empty()) << bad.text;
    EXPECT_EQ(errors[0], bad.error) << bad.text;
  }
}

TEST(OrderBook, SyntaxErrorsAndMissingFilesAreOneLine) {
  std::vector<std::string> errors;
  EXPECT_FALSE(OrderBook::Parse("order = [\n", "book.toml", &errors).has_value());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(errors[0].starts_with("book.toml:")) << errors[0];
  EXPECT_EQ(errors[0].find('\n'), std::string::npos);
  errors.clear();
  EXPECT_FALSE(OrderBook::Load("/no/such/book.toml", &errors).has_value());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "/no/such/book.toml: cannot be read; accepted: an order book in TOML");
}

TEST(OrderCheck, DeclaredEdgesAndLeavesAreApproved) {
  const OrderVerdict verdict =
      Check({Edge("map", "page queues"), Edge("object", "pmap"), Edge("pmap", "free queue")});
  EXPECT_FALSE(verdict.Failed());
  for (const JudgedEdge& edge : verdict.edges) EXPECT_EQ(edge.approval, Approval::kByOrder);
  EXPECT_EQ(verdict.unexercised,
            (std::vector<ClassPair>{{"map", "object"}, {"object", "page queues"}}));
  ASSERT_EQ(verdict.notes.size(), 1u);
  EXPECT_EQ(verdict.notes[0],
            "book.toml:13: exception pmap -> object at vm/pmap.cc:88 covers nothing that was "
            "observed");
}

TEST(OrderCheck, AnUndeclaredEdgeFailsAndSaysWhatToAdd) {
  const OrderVerdict verdict = Check({Edge("pmap", "page queues")});
  EXPECT_TRUE(verdict.Failed());
  EXPECT_EQ(verdict.edges[0].approval, Approval::kUndeclared);
  EXPECT_EQ(verdict.edges[0].to_add, "[\"pmap\", \"page queues\"],  # vm/x.cc:7");
  EXPECT_TRUE(verdict.cycles.empty());
}

TEST(OrderCheck, AContraryEdgeTakesAnException) {
  const OrderVerdict verdict = Check({Edge("page queues", "map", "vm/y.cc:9")});
  EXPECT_TRUE(verdict.Failed());
  EXPECT_EQ(verdict.edges[0].approval, Approval::kContrary);
  EXPECT_EQ(verdict.edges[0].why, "the declared order is map -> page queues");
  EXPECT_EQ(verdict.edges[0].to_add,
            "[[exception]]\nfrom = \"page queues\"\nto = \"map\"\nsite = \"vm/y.cc:9\"\n"
            "reason = \"why this cannot deadlock\"\nexpires = 2027-11-21");
  ASSERT_EQ(verdict.cycles.size(), 1u);
  EXPECT_EQ(verdict.cycles[0].classes, (std::vector<std::string>{"map", "object", "page queues"}));
  EXPECT_FALSE(verdict.cycles[0].approved);
}

TEST(OrderCheck, NothingIsTakenInsideALeaf) {
  const OrderVerdict verdict = Check({Edge("free queue", "map")});
  EXPECT_EQ(verdict.edges[0].approval, Approval::kContrary);
  EXPECT_EQ(verdict.edges[0].why, "free queue is declared a leaf");
}

TEST(OrderCheck, AnExceptionHoldsForItsSiteUntilItsDay) {
  const auto approval = [](const std::string& site, const std::string& today) {
    return Check({Edge("pmap", "object", site)}, today).edges[0];
  };
  EXPECT_EQ(approval("vm/pmap.cc:88", "2027-06-30").approval, Approval::kByException);
  EXPECT_EQ(approval("vm/pmap.cc:88", "2027-07-01").why,
            "the declared order is object -> pmap; its exception expired on 2027-06-30");
  EXPECT_EQ(approval("vm/pmap.cc:89", kToday).why,
            "the declared order is object -> pmap; its exception is for vm/pmap.cc:88");
  EXPECT_EQ(approval("vm/pmap.cc:889", kToday).approval, Approval::kContrary);
  const OrderVerdict excepted = Check({Edge("pmap", "object", "vm/pmap.cc:88")});
  ASSERT_EQ(excepted.cycles.size(), 1u);
  EXPECT_TRUE(excepted.cycles[0].approved);
  EXPECT_FALSE(excepted.Failed());
}

TEST(OrderCheck, NotesSayWhatNothingNeeds) {
  const auto notes = [](std::vector<ObservedEdge> edges, const std::string& today) {
    return Check(std::move(edges), today).notes;
  };
  const std::string exception = "book.toml:13: exception pmap -> object at vm/pmap.cc:88 ";
  const std::string leaf = "leaf free queue was never taken inside a lock";
  using Notes = std::vector<std::string>;
  EXPECT_EQ(notes({}, kToday), (Notes{exception + "covers nothing that was observed", leaf}));
  EXPECT_EQ(notes({}, "2027-07-01"), (Notes{exception + "expired on 2027-06-30", leaf}));
  EXPECT_EQ(notes({Edge("map", "free queue"), Edge("pmap", "object", "vm/pmap.cc:88")}, kToday),
            Notes());
}

TEST(OrderCheck, ACycleHasTheStrongestTierThatARunGaveIt) {
  OrderVerdict verdict = Check({Edge("a", "b"), Edge("b", "c"), Edge("c", "a")});
  ASSERT_EQ(verdict.cycles.size(), 1u);
  EXPECT_EQ(verdict.cycles[0].tier, "class-only");
  const auto found = [](const char* tier, std::vector<std::string> classes) {
    Finding finding;
    finding.tier = tier;
    finding.classes = std::move(classes);
    return finding;
  };
  GiveTiers({found("provable", {"a", "c", "b"}), found("provable", {"a", "b"}), found("", {})},
            &verdict);
  EXPECT_EQ(verdict.cycles[0].tier, "class-only");
  GiveTiers({found("gated", {"b", "c", "a"}), found("ordered", {"c", "a", "b"})}, &verdict);
  EXPECT_EQ(verdict.cycles[0].tier, "gated");
}

TEST(OrderCheck, ACycleIsAFindingWithEachOfItsEdges) {
  const OrderVerdict verdict = Check({Edge("pmap", "map"), Edge("map", "object")});
  const std::vector<Finding> findings = CycleFindings(verdict, Book());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].id, "LK07");  // the samples of Edge are read
  EXPECT_EQ(findings[0].title, "lock order cycle: map -> object -> pmap -> map");
  ASSERT_EQ(findings[0].threads.size(), 5u);
  EXPECT_EQ(findings[0].threads[0].what, "took map at vm/held.cc:5");
  EXPECT_EQ(findings[0].threads[1].site, "vm/x.cc:7");
  EXPECT_EQ(findings[0].threads[2].thread, "book.toml");
  EXPECT_EQ(findings[0].threads[2].what, "declares object -> pmap");
  EXPECT_EQ(findings[0].threads[4].stack[0], "Inner vm/x.cc:7");
}

TEST(OrderCheck, TwoLocksOfOneClassNeedADeclarationOfTheirs) {
  const OrderVerdict undeclared = Check({Edge("object", "object")});
  ASSERT_EQ(undeclared.edges.size(), 1u);
  EXPECT_EQ(undeclared.edges[0].approval, Approval::kUndeclared);
  EXPECT_TRUE(undeclared.cycles.empty());
  EXPECT_EQ(UpdatedBook(Book(), undeclared), kBook);
  const std::string added = std::string(kBook) + "\n" + undeclared.edges[0].to_add + "\n";
  EXPECT_FALSE(Check({Edge("object", "object")}, kToday, added).Failed());
  EXPECT_NE(OrderText(undeclared, Book()).find("if it is meant, add to book.toml\n"),
            std::string::npos);
}

TEST(OrderCheck, TwoLocksOfOneClassAreComparedByTheirNumbers) {
  ObservedEdge edge = Edge("map entry", "map entry");
  EXPECT_EQ(Check({edge}).edges[0].approval, Approval::kByOrder);
  std::swap(edge.samples[0].held.instance, edge.samples[0].taken.instance);
  const JudgedEdge judged = Check({edge}).edges[0];
  EXPECT_EQ(judged.approval, Approval::kContrary);
  EXPECT_EQ(judged.why, "the declared order is that of their numbers");
  const std::string added = std::string(kBook) + "\n" + judged.to_add + "\n";
  EXPECT_EQ(Check({edge}, kToday, added).edges[0].approval, Approval::kByException);
}

TEST(OrderCheck, AnExceptionMustCoverEveryCallSite) {
  ObservedEdge edge = Edge("pmap", "object", "vm/pmap.cc:88");
  edge.samples.push_back(Edge("pmap", "object", "vm/z.cc:1").samples[0]);
  const OrderVerdict verdict = Check({edge});
  EXPECT_EQ(verdict.edges[0].approval, Approval::kContrary);
  EXPECT_NE(verdict.edges[0].to_add.find("site = \"vm/z.cc:1\""), std::string::npos);
}

TEST(OrderCheck, AFileCoversAllItsLines) {
  const std::string text =
      "[[exception]]\nfrom = \"a\"\nto = \"b\"\nsite = \"vm/x.cc\"\nreason = \"r\"\n"
      "expires = 2027-01-01\n";
  EXPECT_EQ(Check({Edge("a", "b", "vm/x.cc:1")}, kToday, text).edges[0].approval,
            Approval::kByException);
  EXPECT_EQ(Check({Edge("a", "b", "vm/x.cc2:1")}, kToday, text).edges[0].approval,
            Approval::kUndeclared);
}

TEST(OrderCheck, CyclesNeedNoDeclaration) {
  const OrderVerdict verdict = Check({Edge("a", "b"), Edge("b", "c"), Edge("c", "a")});
  ASSERT_EQ(verdict.cycles.size(), 1u);
  EXPECT_EQ(verdict.cycles[0].classes, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(OrderCheck, CyclesOfTwoRunsTogether) {
  const OrderSnapshot both = Merge(Observed({Edge("a", "b")}), Observed({Edge("b", "a")}));
  EXPECT_EQ(CheckOrder(Book(), both, kToday).cycles.size(), 1u);
}

TEST(OrderCheck, MergedEdgesKeepEachCallSiteAndAFewThreads) {
  OrderSnapshot merged;
  const std::size_t sites = 2 * kMergedSamples;
  for (std::size_t run = 0; run < 3; ++run)
    for (std::size_t i = 0; i < sites; ++i) {
      OrderSnapshot one = Observed({Edge("a", "b", "x.cc:" + std::to_string(i))});
      NameRun("run " + std::to_string(run), &one);
      merged = Merge(merged, one);
    }
  EXPECT_EQ(merged.edges[0].samples.size(), sites);
  EXPECT_EQ(merged.edges[0].count, 9 * sites);
  OrderSnapshot again;
  for (std::size_t run = 0; run < sites; ++run) {
    OrderSnapshot one = Observed({Edge("a", "b")});
    NameRun("run " + std::to_string(run), &one);
    again = Merge(again, one);
  }
  EXPECT_EQ(again.edges[0].samples.size(), kMergedSamples);
  EXPECT_EQ(ThreadOf(again.edges[0].samples[1]), "worker 1 (run 1)");
}

TEST(OrderCheck, StrictRunsFailByUnapprovedEdges) {
  const std::vector<Finding> findings =
      OrderFindings(Check({Edge("map", "object"), Edge("pmap", "page queues")}));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].id, "LK12");
  EXPECT_TRUE(FailsRun(findings[0]));
  ASSERT_EQ(findings[0].threads.size(), 2u);
  EXPECT_EQ(findings[0].threads[1].stack[0], "Inner vm/x.cc:7");
}

TEST(OrderUpdate, AddsUndeclaredEdgesAndKeepsTheRest) {
  const OrderVerdict verdict =
      Check({Edge("pmap", "page queues"), Edge("page queues", "map"), Edge("map", "swap")});
  const std::string updated = UpdatedBook(Book(), verdict);
  EXPECT_NE(updated.find("  [\"object\", \"pmap\"],\n"
                         "  [\"map\", \"swap\"],  # vm/x.cc:7\n"
                         "  [\"pmap\", \"page queues\"],  # vm/x.cc:7\n]\nleaves"),
            std::string::npos)
      << updated;
  EXPECT_TRUE(updated.starts_with("# The order of the locks.\n"));
  const OrderBook book = Book(updated);
  EXPECT_TRUE(book.Allows("pmap", "page queues"));
  EXPECT_FALSE(book.Allows("page queues", "map"));
}

TEST(OrderUpdate, WorksOnAnyLayout) {
  for (const char* text :
       {"", "# nothing yet\n", "order = []\n", "order = [[\"a\", \"b\"]]\n",
        "order = [ [\"a\", \"b\"], ]  # done\n", "order = [\n  [\"ä\", \"ö\"] # no, comma\n]\n"}) {
    const std::string updated = UpdatedBook(Book(text), Check({Edge("x", "y")}, kToday, text));
    EXPECT_TRUE(Book(updated).Allows("x", "y")) << updated;
    EXPECT_EQ(Book(updated).Allows("a", "b"), Book(text).Allows("a", "b")) << updated;
    EXPECT_EQ(Book(updated).Allows("ä", "ö"), Book(text).Allows("ä", "ö")) << updated;
  }
}

TEST(OrderUpdate, ASecondUpdateChangesNothing) {
  const std::vector<ObservedEdge> observed = {Edge("pmap", "page queues"), Edge("map", "swap")};
  const std::string once = UpdatedBook(Book(), Check(observed));
  EXPECT_NE(once, kBook);
  EXPECT_FALSE(Check(observed, kToday, once).Failed());
  EXPECT_EQ(UpdatedBook(Book(once), Check(observed, kToday, once)), once);
}

TEST(OrderUpdate, NothingToAddChangesNothing) {
  EXPECT_EQ(UpdatedBook(Book(), Check({Edge("map", "object")})), kBook);
}

TEST(OrderOutput, TextShowsBothStacksAndTheLine) {
  const OrderBook book = Book();
  const std::string text = OrderText(Check({Edge("pmap", "page queues")}), book);
  EXPECT_NE(text.find("unapproved: pmap -> page queues (3 times): no order of the two is declared\n"
                      "  worker 1\n"
                      "    took pmap #1 (exclusive) at vm/held.cc:5\n"
                      "      Outer vm/held.cc:5\n"
                      "    then took page queues #2 (shared) at vm/x.cc:7\n"
                      "      Inner vm/x.cc:7\n"
                      "  if it is meant, add to `order` in book.toml\n"
                      "    [\"pmap\", \"page queues\"],  # vm/x.cc:7\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lock order: 1 edges observed, 1 unapproved, 3 declared but not exercised, 0 "
                      "cycles\n"),
            std::string::npos)
      << text;
}

TEST(OrderOutput, TextNamesTheClassesThatLostSomething) {
  OrderSnapshot snapshot = Observed({Edge("map", "object")});
  snapshot.dropped_by_class = {{"object", 3}};
  const std::string text = OrderText(CheckOrder(Book(), snapshot, kToday), Book());
  EXPECT_NE(text.find("dropped: object: 3 acquisitions for want of memory"), std::string::npos)
      << text;
}

TEST(OrderOutput, JsonHasTheStableKeys) {
  const OrderBook book = Book();
  const auto json = OrderJson(Check({Edge("pmap", "map"), Edge("map", "object")}), book);
  EXPECT_EQ(json["edges"][0]["from"], "map");
  EXPECT_EQ(json["edges"][0]["to"], "object");
  EXPECT_EQ(json["edges"][0]["count"], 3);
  EXPECT_EQ(json["edges"][0]["approved"], true);
  EXPECT_EQ(json["edges"][0]["site"], "vm/x.cc:7");
  EXPECT_EQ(json["unapproved"][0]["from"], "pmap");
  EXPECT_EQ(json["unapproved"][0]["samples"][0]["held"]["stack"][0], "Outer vm/held.cc:5");
  EXPECT_EQ(json["unexercised"][0]["from"], "object");
  EXPECT_EQ(json["cycles"][0]["classes"].size(), 3u);
  EXPECT_EQ(json["failed"], true);
}

TEST(OrderOutput, DotMarksWhatFails) {
  const OrderBook book = Book();
  const std::string dot = OrderDot(Check({Edge("pmap", "page queues")}), book);
  EXPECT_NE(dot.find("\"pmap\" -> \"page queues\" [color=red, label=\"3\"];"), std::string::npos);
  EXPECT_NE(dot.find("\"object\" -> \"pmap\" [style=dashed];"), std::string::npos);
}

}  // namespace
}  // namespace locking
