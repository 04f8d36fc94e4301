// What the daemon counts about itself. Rooms take a `metrics&` and ask it for their counters once,
// at construction; adding is a few nanoseconds and safe from any thread.
//
// Names follow Prometheus' conventions: tilld_…_total for counters, units in the name.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tilld {

using metric_labels = std::initializer_list<std::pair<std::string, std::string>>;

class counter {
 public:
  void add(double by = 1) const;
  double value() const;

 private:
  friend class metrics;
  void* it_ = nullptr;
};

class gauge {
 public:
  void set(double value) const;
  void add(double by) const;
  double value() const;

 private:
  friend class metrics;
  void* it_ = nullptr;
};

class histogram {
 public:
  void observe(double value) const;

 private:
  friend class metrics;
  void* it_ = nullptr;
};

class metrics {
 public:
  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  // The same name and labels give the same counter. `help` is taken from the first call.
  counter make_counter(const std::string& name, const std::string& help, metric_labels labels = {});
  gauge make_gauge(const std::string& name, const std::string& help, metric_labels labels = {});
  // Buckets are upper bounds, ascending.
  histogram make_histogram(const std::string& name, const std::string& help,
                           const std::vector<double>& buckets, metric_labels labels = {});

  // Prometheus' text exposition format, version 0.0.4.
  std::string exposition() const;

 private:
  struct registry;
  std::unique_ptr<registry> registry_;
};

}  // namespace tilld
