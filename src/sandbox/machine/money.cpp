#include "sandbox/machine/money.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tilld::sandbox {

namespace {

constexpr std::string_view currencies =
    "usd, aed, afn, all, amd, ang, aoa, ars, aud, awg, azn, bam, bbd, bdt, bgn, bhd, bif, bmd, "
    "bnd, bob, brl, bsd, btn, bwp, byn, byr, bzd, cad, cdf, chf, clf, clp, cny, cop, crc, cve, "
    "czk, djf, dkk, dop, dzd, egp, etb, eur, fjd, fkp, gbp, gel, ghs, gip, gmd, gnf, gtq, gyd, "
    "hkd, hnl, hrk, htg, huf, idr, ils, inr, isk, jmd, jod, jpy, kes, kgs, khr, kmf, krw, kwd, "
    "kyd, kzt, lak, lbp, lkr, lrd, lsl, mad, mdl, mga, mkd, mmk, mnt, mop, mro, mur, mvr, mwk, "
    "mxn, myr, mzn, nad, ngn, nio, nok, npr, nzd, omr, pab, pen, pgk, php, pkr, pln, pyg, qar, "
    "ron, rsd, rub, rwf, sar, sbd, scr, sek, sgd, shp, sle, sll, sos, srd, std, svc, szl, thb, "
    "tjs, tnd, top, try, ttd, twd, tzs, uah, ugx, uyu, uzs, vef, vnd, vuv, wst, xaf, xcd, xof, "
    "xpf, yer, zar, zmw, eek, lvl, ltl";

constexpr std::array<std::string_view, 16> without_decimals = {
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga",
    "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"};
constexpr std::array<std::string_view, 5> with_three_decimals = {"bhd", "jod", "kwd", "omr", "tnd"};

struct sign {
  std::string_view currency;
  std::string_view written;
};
constexpr std::array<sign, 9> signs = {{{"usd", "$"},
                                        {"aud", "$"},
                                        {"cad", "$"},
                                        {"hkd", "$"},
                                        {"mxn", "$"},
                                        {"nzd", "$"},
                                        {"eur", "€"},
                                        {"gbp", "£"},
                                        {"jpy", "¥"}}};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

int decimals_of(std::string_view currency) {
  if (contains(without_decimals, currency)) return 0;
  return contains(with_three_decimals, currency) ? 3 : 2;
}

}  // namespace

bool is_currency(std::string_view code) {
  if (code.size() != 3) return false;
  const auto at = currencies.find(code);
  return at != std::string_view::npos && at % 5 == 0;
}

const std::string& all_currencies() {
  static const std::string all(currencies);
  return all;
}

std::string amount_text(std::int64_t minor, std::string_view currency) {
  const auto it = std::find_if(signs.begin(), signs.end(),
                               [&](const sign& s) { return s.currency == currency; });
  std::string out = minor < 0 ? "-" : "";
  if (it != signs.end()) {
    out += it->written;
  } else {
    for (const char c : currency)
      out.push_back(static_cast<char>(std::toupper(c)));
    out.push_back(' ');
  }
  std::string digits = std::to_string(minor < 0 ? -minor : minor);
  const auto decimals = static_cast<std::size_t>(decimals_of(currency));
  if (decimals > 0) {
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
  }
  return out + digits;
}

std::int64_t prorated(std::int64_t amount, std::int64_t part, std::int64_t whole) {
  __extension__ using wide = __int128;
  const wide product = static_cast<wide>(amount < 0 ? -amount : amount) * part;
  const auto rounded = static_cast<std::int64_t>((product * 2 + whole) / (wide{2} * whole));
  return amount < 0 ? -rounded : rounded;
}

std::int64_t stripe_fee(std::int64_t amount) {
  return prorated(amount, 29, 1000) + 30;
}

bool is_decimal(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  if (whole.empty() || whole.size() > 15 || !std::all_of(whole.begin(), whole.end(), digit)) {
    return false;
  }
  if (dot == std::string_view::npos) return true;
  const auto part = text.substr(dot + 1);
  return !part.empty() && part.size() <= 12 && std::all_of(part.begin(), part.end(), digit);
}

}  // namespace tilld::sandbox
