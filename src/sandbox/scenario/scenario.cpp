#include "sandbox/scenario/scenario.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

#include "sandbox/control/moment.hpp"
#include "sandbox/machine/document.hpp"
#include "sandbox/scenario/words.hpp"
#include "stripe/form.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::int64_t new_year_s = 1'767'225'600;  // 2026-01-01: where a story begins

using words = std::vector<std::string>;

// A line that fails says why by this; nothing else is thrown here.
struct failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string join(const words& all) {
  std::string text;
  for (const auto& word : all)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string plain(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

class teller {
 public:
  explicit teller(const delivery& deliver) : stripe_({}), deliver_(deliver) {
    stripe_.freeze(new_year_s);
  }

  void step(words line);
  void end() const {
    if (!refused_.is_null()) throw failed("It was refused: " + compact(refused_));
  }

 private:
  std::int64_t now() const { return stripe_.time(0); }
  void did_something();
  json request(const std::string& verb, const std::string& path, const words& params);
  json call(const std::string& verb, const std::string& path, const std::string& form);
  json object(const std::string& id) const;
  json value_at(json from, std::string_view path) const;
  std::string resolved(const std::string& word) const;
  std::string form_of(const words& params) const;
  void note_events();

  void let(const words& line);
  void settings(const words& line);
  void advance(const words& line, bool freeze);
  void authenticate(const words& line);
  void card(const words& line);
  void deliver(const words& line);
  void expect(const words& line);
  void expect_refused(const words& line);
  void expect_events(const words& types);
  void expect_no_event(const words& types);
  void expect_count(const words& line);
  void expect_status(const words& line);
  void compare(const json& document, const std::string& word) const;

  simulator stripe_;
  const delivery& deliver_;
  std::map<std::string, std::string> ids_;
  std::vector<emitted> told_;     // since the last line that did something
  std::vector<emitted> waiting_;  // not yet delivered
  json refused_ = nullptr;        // the last request's error, not yet expected
  int refused_status_ = 0;
};

void teller::note_events() {
  for (auto& e : stripe_.take_events()) {
    waiting_.push_back(e);
    told_.push_back(std::move(e));
  }
}

void teller::did_something() {
  end();
  told_.clear();
}

json teller::call(const std::string& verb, const std::string& path, const std::string& form) {
  sandbox::request r;
  r.verb = verb;
  r.path = path;
  (verb == "GET" ? r.query : r.body) = form;
  r.authorization = "Bearer sk_test_sandbox";
  const auto answer = stripe_.handle(r, 0);
  json body = json::parse(answer.body);
  if (answer.status >= 400) {
    refused_ = body["error"];
    refused_status_ = answer.status;
  }
  return body;
}

json teller::request(const std::string& verb, const std::string& path, const words& params) {
  const std::string where = resolved(path);
  json body = call(verb, where, form_of(params));
  note_events();
  return body;
}

json teller::object(const std::string& id) const {
  const std::string text = stripe_.object(id);
  return text.empty() ? json(nullptr) : json::parse(text);
}

json teller::value_at(json from, std::string_view path) const {
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto part = path.substr(0, dot);
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
    if (from.is_string()) from = object(from.get<std::string>());
    if (from.is_object() && text_of(from, "object") == "list" && !from.contains(part)) {
      from = json(from["data"]);
    }
    if (from.is_array() && part.find_first_not_of("0123456789") == part.npos) {
      const std::size_t index = std::stoul(std::string(part));
      from = index < from.size() ? json(from[index]) : json(nullptr);
    } else if (from.is_array() && part == "size") {
      from = from.size();
    } else if (from.is_object() && from.contains(part)) {
      from = json(from[std::string(part)]);
    } else {
      return nullptr;
    }
  }
  return from;
}

// $name and $name.path inside a word.
std::string teller::resolved(const std::string& word) const {
  std::string out;
  for (std::size_t i = 0; i < word.size();) {
    if (word[i] != '$') {
      out.push_back(word[i++]);
      continue;
    }
    std::size_t end = i + 1;
    while (end < word.size() && (std::isalnum(static_cast<unsigned char>(word[end])) != 0 ||
                                 word[end] == '_' || word[end] == '.')) {
      ++end;
    }
    const std::string name = word.substr(i + 1, end - i - 1);
    const auto dot = name.find('.');
    const auto it = ids_.find(name.substr(0, dot));
    if (it == ids_.end()) throw failed("There is no $" + name.substr(0, dot) + " yet.");
    if (dot == name.npos) {
      out += it->second;
    } else {
      out += plain(value_at(object(it->second), std::string_view(name).substr(dot + 1)));
    }
    i = end;
  }
  return out;
}

std::string teller::form_of(const words& params) const {
  std::string form;
  for (const auto& word : params) {
    const auto equals = word.find('=');
    if (equals == word.npos) throw failed("'" + word + "' is not a name=value.");
    form += form.empty() ? "" : "&";
    form += stripe::percent_encode(resolved(word.substr(0, equals)));
    form += '=';
    form += stripe::percent_encode(resolved(word.substr(equals + 1)));
  }
  return form;
}

void teller::let(const words& line) {
  if (line.size() < 5 || line[2] != "=") throw failed("Write: let name = POST /v1/… name=value …");
  const json made = request(line[3], line[4], words(line.begin() + 5, line.end()));
  // Of a list its first, the newest.
  const bool list = text_of(made, "object") == "list" && !made["data"].empty();
  ids_[line[1]] = text_of(list ? made["data"][0] : made, "id");
}

void teller::settings(const words& line) {
  json members = json::object();
  for (std::size_t i = 1; i < line.size(); ++i) {
    const auto equals = line[i].find('=');
    if (equals == std::string::npos) throw failed("'" + line[i] + "' is not a name=value.");
    const std::string name = line[i].substr(0, equals);
    const std::string value = line[i].substr(equals + 1);
    const bool number = value.find_first_not_of("0123456789,") == std::string::npos;
    const std::string text = name == "retry_days" ? "[" + value + "]" : value;
    members[name] = number ? json::parse(text, nullptr, false) : json(value);
  }
  if (const std::string wrong = stripe_.change_rules(compact(members)); !wrong.empty()) {
    throw failed(wrong);
  }
}

void teller::advance(const words& line, bool freeze) {
  const std::string text = resolved(join(words(line.begin() + 1, line.end())));
  const auto to = moment_of(text, now());
  if (!to) throw failed("'" + text + "' is no time and no span such as 1 month.");
  if (freeze && waiting_.empty() && ids_.empty()) {
    stripe_.freeze(*to);
  } else if (!stripe_.advance(*to, 0)) {
    throw failed("The clock goes forward only; it is past " + text + ".");
  }
  note_events();
}

void teller::authenticate(const words& line) {
  if (line.size() != 3 || (line[2] != "pass" && line[2] != "fail")) {
    throw failed("Write: authenticate $intent pass, or fail");
  }
  const std::string id = resolved(line[1]);
  if (!stripe_.authenticate(id, line[2] == "pass", 0)) {
    throw failed(id + " waits for no authentication.");
  }
  note_events();
}

void teller::card(const words& line) {
  if (line.size() != 3) throw failed("Write: card $customer pm_card_visa");
  const std::string customer = resolved(line[1]);
  const json method =
      call("POST", "/v1/payment_methods/" + line[2] + "/attach", "customer=" + customer);
  if (!refused_.is_null()) return;
  call("POST", "/v1/customers/" + customer,
       "invoice_settings[default_payment_method]=" + text_of(method, "id"));
  note_events();
}

void teller::deliver(const words& line) {
  std::vector<emitted> events = std::exchange(waiting_, {});
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == "twice") {
      const std::vector<emitted> again = events;
      events.insert(events.end(), again.begin(), again.end());
    } else if (line[i] == "shuffled" && i + 1 < line.size() &&
               line[i + 1].find_first_not_of("0123456789") == std::string::npos) {
      std::mt19937_64 dice(std::stoull(line[++i]));
      std::shuffle(events.begin(), events.end(), dice);
    } else {
      throw failed("Write: deliver, deliver twice, deliver shuffled 7");
    }
  }
  if (const std::string wrong = deliver_(events); !wrong.empty()) throw failed(wrong);
}

void teller::compare(const json& document, const std::string& word) const {
  const auto c = comparison_of(word);
  if (!c) throw failed("'" + word + "' compares nothing; write path=value.");
  const json value = value_at(document, c->path);
  const std::string is = plain(value);
  const std::string wanted = resolved(c->value);
  bool holds = false;
  if (c->sign == "=" || c->sign == "!=") {
    holds = (is == wanted) == (c->sign == "=");
  } else if (value.is_number() && wanted.find_first_not_of("-0123456789") == std::string::npos) {
    const std::int64_t a = value.get<std::int64_t>();
    const std::int64_t b = std::stoll(wanted);
    holds = c->sign == "<" ? a < b : c->sign == "<=" ? a <= b : c->sign == ">" ? a > b : a >= b;
  }
  if (!holds) throw failed(c->path + " is " + is + ", not " + c->sign + " " + wanted);
}

void teller::expect_refused(const words& line) {
  if (refused_.is_null()) throw failed("It was not refused.");
  const json error = std::exchange(refused_, nullptr);
  for (std::size_t i = 2; i < line.size(); ++i) {
    if (line[i].find('=') != std::string::npos) {
      compare(error, line[i]);
    } else if (line[i] != std::to_string(refused_status_)) {
      throw failed("It was refused with " + std::to_string(refused_status_) + ": " +
                   compact(error));
    }
  }
}

void teller::expect_events(const words& types) {
  std::multimap<std::string, int> seen;
  std::string all;
  for (const auto& e : told_) {
    seen.emplace(e.type, 0);
    all += " " + e.type;
  }
  for (const auto& type : types) {
    const auto it = seen.find(type);
    if (it == seen.end()) throw failed(type + " was not told. Told were:" + all);
    seen.erase(it);
  }
}

void teller::expect_no_event(const words& types) {
  for (const auto& e : told_) {
    if (std::find(types.begin(), types.end(), e.type) != types.end()) {
      throw failed(e.type + " was told.");
    }
  }
}

void teller::expect_count(const words& line) {
  if (line.size() < 4) throw failed("Write: expect count 3 /v1/invoices subscription=$sub");
  std::string form = form_of(words(line.begin() + 4, line.end()));
  form += form.empty() ? "limit=100" : "&limit=100";
  const json page = call("GET", resolved(line[3]), form);
  end();
  const std::string count = std::to_string(page["data"].size());
  if (count != line[2]) throw failed("There are " + count + ", not " + line[2] + ".");
}

// subscription $sub past_due
void teller::expect_status(const words& line) {
  const std::string id = resolved(line[2]);
  const json document = object(id);
  if (text_of(document, "object") != line[1]) throw failed(id + " is no " + line[1] + ".");
  compare(document, "status=" + line[3]);
}

void teller::expect(const words& line) {
  const std::string what = line.size() > 1 ? line[1] : "";
  if (what == "refused") return expect_refused(line);
  end();
  if (what == "events" || what == "event") {
    return expect_events(words(line.begin() + 2, line.end()));
  }
  if (what == "no" && line.size() > 2) {
    return expect_no_event(words(line.begin() + 3, line.end()));
  }
  if (what == "count") return expect_count(line);
  if (what.starts_with('$') && line.size() > 2) {
    const json document = object(resolved(what));
    if (document.is_null()) throw failed("There is no " + what + ".");
    for (std::size_t i = 2; i < line.size(); ++i)
      compare(document, line[i]);
    return;
  }
  if (line.size() == 4) return expect_status(line);
  throw failed("Nothing can be expected like this: " + join(line));
}

void teller::step(words line) {
  const std::string& verb = line[0];
  if (verb == "expect") return expect(line);
  did_something();
  if (verb == "let") {
    let(line);
  } else if (verb == "POST" || verb == "GET" || verb == "DELETE") {
    if (line.size() < 2) throw failed("Write: POST /v1/… name=value …");
    request(verb, line[1], words(line.begin() + 2, line.end()));
  } else if (verb == "at" || verb == "advance") {
    advance(line, verb == "at");
  } else if (verb == "settings") {
    settings(line);
  } else if (verb == "authenticate") {
    authenticate(line);
  } else if (verb == "card") {
    card(line);
  } else if (verb == "deliver") {
    deliver(line);
  } else {
    throw failed("'" + verb +
                 "' begins no line; there are let, POST, GET, DELETE, at, advance, settings, "
                 "authenticate, card, deliver and expect.");
  }
}

}  // namespace

scenario_result run_scenario(std::string_view text, const delivery& deliver) {
  scenario_result result;
  teller story(deliver);
  int number = 0;
  int last = 0;
  try {
    while (!text.empty()) {
      ++number;
      const auto end = text.find('\n');
      auto line = words_of(text.substr(0, end));
      text = end == text.npos ? std::string_view() : text.substr(end + 1);
      if (!line) throw failed("A quote is not closed.");
      if (line->empty()) continue;
      story.step(std::move(*line));
      last = number;
      ++result.steps;
    }
    number = last;
    story.end();
  } catch (const failed& why) {
    result.line = number;
    result.why = why.what();
  }
  return result;
}

}  // namespace tilld::sandbox
