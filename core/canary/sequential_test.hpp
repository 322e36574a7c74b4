// Whether a canary fails more often than it may, judged again and again while requests come in.
//
// Bad is an error rate of at least `ratio` times both the stable pods' rate and the tolerated one; good is one that
// exceeds neither, or only one of them. However often one looks, and whatever share of the requests the canary has:
// a good canary is called worse with a probability of at most `risk`, a bad one not worse with at most `risk`
// (docs/decisions/0011-sequential-test.md).
#pragma once

namespace deployctl::canary {

struct Counts {
  double requests = 0;
  double errors = 0;

  friend bool operator==(const Counts&, const Counts&) = default;
};

struct TestOptions {
  double ratio = 2;
  double tolerated = 0.01;
  double risk = 0.05;
};

// What was seen so far. The ratios are natural logarithms of likelihoods: bad over good.
struct Evidence {
  double against_stable = 0;
  double against_tolerated = 0;
  double most_against_stable = 0;  // the highest they have ever been
  double most_against_tolerated = 0;
  Counts canary;
  Counts stable;

  friend bool operator==(const Evidence&, const Evidence&) = default;
};

enum class Opinion { undecided, worse, not_worse };

// The evidence with what happened since it was last added to.
Evidence add(Evidence evidence, const Counts& canary, const Counts& stable, const TestOptions& options);

Opinion opinion_on(const Evidence& evidence, const TestOptions& options);

}  // namespace deployctl::canary
