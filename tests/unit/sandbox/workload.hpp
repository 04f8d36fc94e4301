// A seller's ordinary and less ordinary life, at random from a seed: requests that mostly make
// sense, over what earlier ones have made.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "client.hpp"

namespace tilld::test {

class workload {
 public:
  workload(client& c, std::uint64_t seed) : c_(c), chance_(seed) {}

  void run(int steps);
  // Every status that was answered and how often.
  const std::map<int, int>& answered() const { return answered_; }
  std::string worst() const { return worst_; }  // the first answer of 500 and above but 501

 private:
  void step();
  void sell();
  void join();
  void pay();
  void subscribe();
  void change();
  void bill();
  void entitle();
  void plan();
  void leave();

  std::uint64_t below(std::uint64_t n) { return chance_() % n; }
  bool maybe(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  std::string one_of(const std::vector<std::string>& all);
  std::string known(const std::string& kind);  // an id; "none" when there is none
  std::string card();
  reply post(const std::string& path, const std::string& form, const std::string& makes = {});
  reply del(const std::string& path, const std::string& query = {});
  void note(const std::string& what, const reply& r, const std::string& makes);

  client& c_;
  std::mt19937_64 chance_;
  std::map<std::string, std::vector<std::string>> ids_;
  std::map<int, int> answered_;
  std::string worst_;
};

}  // namespace tilld::test
