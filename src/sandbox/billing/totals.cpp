#include "sandbox/billing/totals.hpp"

#include <algorithm>

namespace tilld::sandbox::totals {

namespace {

bool applies(const discount& d, const line& l) {
  return d.products.empty() ||
         std::find(d.products.begin(), d.products.end(), l.product) != d.products.end();
}

// amount × part / whole, rounded down; nothing is negative here.
std::int64_t share(std::int64_t amount, std::int64_t part, std::int64_t whole) {
  return static_cast<std::int64_t>(wide{amount} * part / whole);
}

// What one discount takes off each of `left`; 0 where it takes nothing.
std::vector<std::int64_t> split(const discount& d, const std::vector<std::int64_t>& left) {
  std::vector<std::int64_t> off(left.size(), 0);
  if (d.amount_off == 0) {
    for (std::size_t i = 0; i < left.size(); ++i)
      off[i] = std::min(left[i], d.percent_off.percent_of(left[i]));
    return off;
  }
  std::int64_t whole = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    whole += left[i];
    if (left[i] > 0) last = i;
  }
  if (whole == 0) return off;
  const std::int64_t amount = std::min(d.amount_off, whole);
  std::int64_t rest = amount;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (i == last) continue;
    off[i] = share(amount, left[i], whole);
    rest -= off[i];
  }
  // Rounding down may leave the last one more than it costs: what is over goes to those before it.
  off[last] = std::min(rest, left[last]);
  rest -= off[last];
  for (std::size_t i = 0; i < left.size() && rest > 0; ++i) {
    const std::int64_t more = std::min(rest, left[i] - off[i]);
    off[i] += more;
    rest -= more;
  }
  return off;
}

class reckoning {
 public:
  reckoning(const std::vector<line>& lines, bool exempt) : lines_(lines), exempt_(exempt) {
    out_.lines.resize(lines.size());
    for (const auto& l : lines)
      left_.push_back(l.amount);
  }

  sums run(const std::vector<discount>& discounts) {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      for (const auto& d : lines_[i].discounts)
        take(d, i, i + 1);
    }
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      out_.subtotal += left_[i];
      out_.subtotal_excluding_tax += left_[i] - inclusive_tax(i);
    }
    for (const auto& d : discounts)
      take(d, 0, lines_.size());
    for (std::size_t i = 0; i < lines_.size(); ++i)
      add_taxes(i);
    return std::move(out_);
  }

 private:
  void take(const discount& d, std::size_t from, std::size_t to) {
    std::vector<std::int64_t> left(left_.size(), 0);
    for (std::size_t i = from; i < to; ++i) {
      const line& l = lines_[i];
      if (l.discountable && !l.proration && applies(d, l)) {
        left[i] = std::max<std::int64_t>(0, left_[i]);
      }
    }
    const auto off = split(d, left);
    for (std::size_t i = from; i < to; ++i) {
      const line& l = lines_[i];
      const bool stands = applies(d, l) && (l.discountable || l.proration);
      if (!stands) continue;
      left_[i] -= off[i];
      out_.lines[i].discounts.push_back({d.id, off[i]});
      add(out_.discounts, d.id, off[i]);
    }
  }

  static void add(std::vector<taken_off>& all, const std::string& id, std::int64_t amount) {
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const auto& t) { return t.discount == id; });
    if (it == all.end()) {
      all.push_back({id, amount});
    } else {
      it->amount += amount;
    }
  }

  decimal all_inclusive(std::size_t i) const {
    decimal all;
    for (const auto& rate : lines_[i].rates)
      if (rate.inclusive) all = all.plus(rate.percentage);
    return all;
  }

  std::int64_t inclusive_tax(std::size_t i) const {
    if (exempt_) return 0;
    const decimal all = all_inclusive(i);
    std::int64_t tax = 0;
    for (const auto& rate : lines_[i].rates)
      if (rate.inclusive) tax += rate.percentage.contained_in(left_[i], all);
    return tax;
  }

  void add_taxes(std::size_t i) {
    const decimal all = all_inclusive(i);
    const std::int64_t taxable = left_[i] - inclusive_tax(i);
    std::int64_t on_top = 0;
    for (const auto& rate : lines_[i].rates) {
      tax t{rate.id, rate.inclusive, 0, taxable};
      if (!exempt_) {
        t.amount = rate.inclusive ? rate.percentage.contained_in(left_[i], all)
                                  : rate.percentage.percent_of(taxable);
      }
      if (!rate.inclusive) on_top += t.amount;
      add(t);
      out_.lines[i].taxes.push_back(std::move(t));
    }
    out_.total += left_[i] + on_top;
    out_.total_excluding_tax += taxable;
  }

  void add(const tax& t) {
    const auto it = std::find_if(out_.taxes.begin(), out_.taxes.end(),
                                 [&](const tax& other) { return other.rate == t.rate; });
    if (it == out_.taxes.end()) {
      out_.taxes.push_back(t);
    } else {
      it->amount += t.amount;
      it->taxable += t.taxable;
    }
  }

  const std::vector<line>& lines_;
  bool exempt_;
  std::vector<std::int64_t> left_;  // of each line
  sums out_;
};

}  // namespace

sums reckon(const std::vector<line>& lines, const std::vector<discount>& discounts, bool exempt) {
  return reckoning(lines, exempt).run(discounts);
}

}  // namespace tilld::sandbox::totals
