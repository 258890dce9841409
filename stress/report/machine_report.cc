#include "stress/report/machine_report.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "stress/command/build_info.h"
#include "stress/config/error.h"
#include "stress/config/text.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kInspectSchema[] = "vmstress.inspect/1";
constexpr char kRunSchema[] = "vmstress.run/1";

// The members of each view by name: what writes and what reads go through the same list.
template <typename Members>
void Visit(Members& in, vm::RunState& run) {
  in("first", run.first);
  in("count", run.count);
  in("place", run.place);
}

template <typename Members>
void Visit(Members& in, vm::ReservationState& reservation) {
  in("object", reservation.object);
  in("first", reservation.first);
  in("count", reservation.count);
  in("place", reservation.place);
  in("used", reservation.used);
}

template <typename Members>
void Visit(Members& in, vm::ObjectState& object) {
  in("id", object.id);
  in("type", object.type);
  in("size", object.size);
  in("resident", object.resident);
  in("references", object.references);
  in("shadows", object.shadows);
  in("paging_in_progress", object.paging_in_progress);
  in("charged", object.charged);
  in("charge", object.charge);
  in("flags", object.flags);
  in("backing", object.backing);
  in("backing_offset", object.backing_offset);
  in("pages", object.pages);
  in("slots", object.slots);
  in("pages_left_out", object.pages_left_out);
  in("slots_left_out", object.slots_left_out);
  in("reservations", object.reservations);
  in("reservations_left_out", object.reservations_left_out);
}

template <typename Members>
void Visit(Members& in, vm::MappingState& mapping) {
  in("space", mapping.space);
  in("address", mapping.address);
  in("writable", mapping.writable);
  in("modified", mapping.modified);
  in("wired", mapping.wired);
}

template <typename Members>
void Visit(Members& in, vm::PageState& page) {
  in("frame", page.frame);
  in("identity", page.identity);
  in("queue", page.queue);
  in("object", page.object);
  in("pindex", page.pindex);
  in("valid", page.valid);
  in("dirty", page.dirty);
  in("busy", page.busy);
  in("wirings", page.wirings);
  in("holds", page.holds);
  in("loans", page.loans);
  in("act_count", page.act_count);
  in("flags", page.flags);
  in("mappings", page.mappings);
}

template <typename Members>
void Visit(Members& in, vm::EntryState& entry) {
  in("start", entry.start);
  in("end", entry.end);
  in("object", entry.object);
  in("offset", entry.offset);
  in("protection", entry.protection);
  in("wirings", entry.wirings);
  in("needs_copy", entry.needs_copy);
}

template <typename Members>
void Visit(Members& in, vm::SpaceState& space) {
  in("id", space.id);
  in("resident", space.resident);
  in("wired", space.wired);
  in("entries", space.entries);
}

template <typename Members>
void Visit(Members& in, vm::Thresholds& thresholds) {
  in("free_reserved", thresholds.free_reserved);
  in("free_min", thresholds.free_min);
  in("free_target", thresholds.free_target);
  in("cache_min", thresholds.cache_min);
  in("inactive_target", thresholds.inactive_target);
  in("pageout_free_min", thresholds.pageout_free_min);
  in("interrupt_free_min", thresholds.interrupt_free_min);
}

template <typename Members>
void Visit(Members& in, vm::QueuesState& queues) {
  in("zeroed", queues.zeroed);
  in("held", queues.held);
  in("inactive", queues.inactive);
  in("active", queues.active);
  in("wired", queues.wired);
  in("kept", queues.kept);
  in("free_by_color", queues.free_by_color);
  in("cache_by_color", queues.cache_by_color);
  in("thresholds", queues.thresholds);
}

template <typename Members>
void Visit(Members& in, vm::MachineState& machine) {
  in("pages_in_all", machine.pages_in_all);
  in("frames", machine.frames);
  in("page_size", machine.page_size);
  in("queues", machine.queues);
  in("objects", machine.objects);
  in("spaces", machine.spaces);
  in("pages", machine.pages);
  in("pages_left_out", machine.pages_left_out);
  in("partial", machine.partial);
  in("partial_left_out", machine.partial_left_out);
}

template <typename T>
concept Plain = std::integral<T> || std::same_as<T, std::string>;

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, T& value) {
    json_[name] = Of(value);
  }
  template <typename T>
  static Json Of(T& value) {
    Writer writer;
    Visit(writer, value);
    return std::move(writer.json_);
  }
  template <Plain T>
  static Json Of(T& value) {
    return value;
  }
  template <typename T>
  static Json Of(std::vector<T>& list) {
    Json json = Json::array();
    for (T& element : list) json.push_back(Of(element));
    return json;
  }

 private:
  Json json_ = Json::object();
};

// What is read is printed again, so control characters are none of a text.
class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    const std::string path = path_ + "." + name;
    if (!json_.is_object()) FailUsage(path_ + " is no object");
    const auto found = json_.find(name);
    if (found == json_.end()) FailUsage(path + " is missing");
    Read(*found, path, &value);
  }
  template <typename T>
  static void Read(const Json& json, const std::string& path, T* value) {
    Reader reader(json, path);
    Visit(reader, *value);
  }

 private:
  template <std::unsigned_integral T>
  static void Read(const Json& json, const std::string& path, T* value) {
    if (!json.is_number_unsigned() || json.get<std::uint64_t>() > std::numeric_limits<T>::max())
      FailUsage(path + " is no number from 0 to " + std::to_string(std::numeric_limits<T>::max()));
    *value = json.get<T>();
  }
  static void Read(const Json& json, const std::string& path, bool* value) {
    if (!json.is_boolean()) FailUsage(path + " is neither true nor false");
    *value = json.get<bool>();
  }
  static void Read(const Json& json, const std::string& path, std::string* value) {
    if (!json.is_string()) FailUsage(path + " is no text");
    *value = OneLine(json.get<std::string>());
  }
  template <typename T>
  static void Read(const Json& json, const std::string& path, std::vector<T>* list) {
    if (!json.is_array()) FailUsage(path + " is no list");
    list->resize(json.size());
    for (std::size_t i = 0; i < json.size(); ++i)
      Read(json[i], path + "[" + std::to_string(i) + "]", &(*list)[i]);
  }

  const Json& json_;
  const std::string path_;
};

std::string TextOf(const Json& document, const char* key) {
  return document.contains(key) && document[key].is_string()
             ? OneLine(document[key].get<std::string>())
             : "";
}

// Why a result of a run shows no machine.
std::string WhyNone(const Json& document) {
  return TextOf(document, "verdict") == "failed"
             ? "holds no machine: the run ended in the midst of an operation"
             : "holds no machine: only a run that failed keeps one";
}

}  // namespace

nlohmann::ordered_json MachineJson(const vm::MachineState& machine) {
  vm::MachineState copy = machine;
  return Writer::Of(copy);
}

InspectedMachine ReadMachine(const std::string& text, const std::string& path) {
  const std::string where = OneLine(path) + ": ";
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded())
    FailUsage(where + "is neither JSON nor a recorded failure, or was cut off");
  const std::string schema = document.is_object() ? TextOf(document, "schema") : "";
  if (schema != kInspectSchema && schema != kRunSchema)
    FailUsage(where + "is no result that holds a machine" + (schema.empty() ? "" : ": " + schema) +
              "; accepted: " + kRunSchema + ", " + kInspectSchema);
  if (!document.contains("machine") || document["machine"].is_null())
    FailUsage(where + WhyNone(document));
  InspectedMachine inspected;
  inspected.origin = schema == kRunSchema ? OneLine(path) + ": " + TextOf(document, "replay")
                                          : TextOf(document, "origin");
  Reader::Read(document["machine"], where + "machine", &inspected.machine);
  return inspected;
}

nlohmann::ordered_json InspectJson(const InspectedMachine& inspected) {
  const std::vector<std::string> check = vm::CheckObjects(inspected.machine);
  return {{"schema", kInspectSchema},
          {"build", BuildJson()},
          {"host", HostJson()},
          {"verdict", check.empty() ? "clean" : "failed"},
          {"origin", inspected.origin},
          {"check", check},
          {"machine", MachineJson(inspected.machine)}};
}

}  // namespace stress
