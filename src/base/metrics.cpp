#include "base/metrics.hpp"

#include <map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace tilld {

struct metrics::registry {
  prometheus::Registry all{prometheus::Registry::InsertBehavior::Merge};
};

namespace {
std::map<std::string, std::string> as_map(metric_labels labels) {
  return {labels.begin(), labels.end()};
}
}  // namespace

void counter::add(double by) const {
  if (it_) static_cast<prometheus::Counter*>(it_)->Increment(by);
}
double counter::value() const {
  return it_ ? static_cast<prometheus::Counter*>(it_)->Value() : 0;
}
void gauge::set(double value) const {
  if (it_) static_cast<prometheus::Gauge*>(it_)->Set(value);
}
void gauge::add(double by) const {
  if (it_) static_cast<prometheus::Gauge*>(it_)->Increment(by);
}
double gauge::value() const {
  return it_ ? static_cast<prometheus::Gauge*>(it_)->Value() : 0;
}
void histogram::observe(double value) const {
  if (it_) static_cast<prometheus::Histogram*>(it_)->Observe(value);
}

metrics::metrics() : registry_(std::make_unique<registry>()) {}
metrics::~metrics() = default;

counter metrics::make_counter(const std::string& name, const std::string& help,
                              metric_labels labels) {
  counter made;
  made.it_ = &prometheus::BuildCounter()
                  .Name(name)
                  .Help(help)
                  .Register(registry_->all)
                  .Add(as_map(labels));
  return made;
}

gauge metrics::make_gauge(const std::string& name, const std::string& help, metric_labels labels) {
  gauge made;
  made.it_ =
      &prometheus::BuildGauge().Name(name).Help(help).Register(registry_->all).Add(as_map(labels));
  return made;
}

histogram metrics::make_histogram(const std::string& name, const std::string& help,
                                  const std::vector<double>& buckets, metric_labels labels) {
  histogram made;
  made.it_ = &prometheus::BuildHistogram()
                  .Name(name)
                  .Help(help)
                  .Register(registry_->all)
                  .Add(as_map(labels), buckets);
  return made;
}

std::string metrics::exposition() const {
  return prometheus::TextSerializer{}.Serialize(registry_->all.Collect());
}

}  // namespace tilld
