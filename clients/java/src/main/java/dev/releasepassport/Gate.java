package dev.releasepassport;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import dev.releasepassport.v1.Decision;
import dev.releasepassport.v1.DecisionServiceGrpc;
import dev.releasepassport.v1.EvaluateRequest;
import dev.releasepassport.v1.Finding;
import dev.releasepassport.v1.GetDecisionRequest;
import dev.releasepassport.v1.Verdict;
import io.grpc.CallCredentials;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Asks whether releases may proceed, and fails closed: whatever goes wrong is an answer that holds. */
public final class Gate {
  /**
   * One thing that keeps a release.
   *
   * @param code is stable, such as EVIDENCE_MISSING
   * @param message is for people
   * @param nextAction is what to do about it
   */
  public record Reason(String code, String message, String nextAction) {}

  /**
   * What the gate says.
   *
   * @param verdict is what to act on; HOLD for whatever cannot be relied on
   * @param proceed says whether the release may go on
   * @param reasons say why not, strictest first; empty where it may
   */
  public record Answer(Verdict verdict, boolean proceed, List<Reason> reasons) {}

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final DecisionServiceGrpc.DecisionServiceBlockingStub decisions;
  private final Clock clock;

  /** Asks over a channel with TLS, such as one of Grpc.newChannelBuilder; the token is asked for at each call. */
  public Gate(Channel channel, Supplier<String> token) {
    this(channel, token, Clock.systemUTC());
  }

  Gate(Channel channel, Supplier<String> token, Clock clock) {
    this.decisions = DecisionServiceGrpc.newBlockingStub(channel).withCallCredentials(new Bearer(token));
    this.clock = clock;
  }

  /** Decides a release, records the decision and returns what it is worth now. */
  public Answer ask(String release) {
    EvaluateRequest request =
        EvaluateRequest.newBuilder().setRelease(release).setRequestId(UUID.randomUUID().toString()).build();
    try {
      var timed = decisions.withDeadlineAfter(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      var answer = timed.evaluate(request);
      if (!answer.hasDecision()) {
        return held("NOT_RECORDED", "the answer holds no decision");
      }
      String name = answer.getDecision().getName();
      boolean newest = !answer.getReplayed();
      if (answer.getReplayed() && !name.isEmpty()) {
        newest = timed.getDecision(GetDecisionRequest.newBuilder().setName(name).build()).getNewest();
      }
      return worth(answer.getDecision(), newest);
    } catch (StatusRuntimeException failure) {
      return held(reasonOf(failure), String.valueOf(failure.getStatus().getDescription()));
    }
  }

  private Answer worth(Decision decision, boolean newest) {
    Verdict verdict = decision.getEffectiveVerdict();
    if (verdict == Verdict.UNRECOGNIZED || verdict == Verdict.VERDICT_UNSPECIFIED) {
      return held("VERDICT_UNKNOWN", "the server gave a verdict that this client does not know");
    }
    if (verdict != Verdict.VERDICT_ALLOW) {
      return new Answer(verdict, false, decision.getFindingsList().stream().filter(Gate::keeps).map(Gate::reason).toList());
    }
    if (decision.getName().isEmpty()) {
      return held("NOT_RECORDED", "the answer names no recorded decision");
    }
    if (decision.getDev()) {
      return held("DEVELOPMENT_SERVER", "made by a server in development mode, which gates nothing");
    }
    if (!newest) {
      return held("NOT_NEWEST", "a newer decision of this release exists; ask again");
    }
    var end = decision.getValidUntil();
    if (!Instant.ofEpochSecond(end.getSeconds(), end.getNanos()).isAfter(clock.instant())) {
      return held("NO_LONGER_VALID", "the decision is no longer valid; ask again");
    }
    return new Answer(verdict, true, List.of());
  }

  private static boolean keeps(Finding finding) {
    return finding.getVerdict() != Verdict.VERDICT_ALLOW;
  }

  private static Reason reason(Finding finding) {
    return new Reason(finding.getReason(), finding.getMessage(), finding.getNextAction());
  }

  private static Answer held(String code, String message) {
    return new Answer(Verdict.VERDICT_HOLD, false, List.of(new Reason(code, message, "")));
  }

  private static String reasonOf(StatusRuntimeException failure) {
    com.google.rpc.Status status = StatusProto.fromThrowable(failure);
    for (var detail : status == null ? List.<com.google.protobuf.Any>of() : status.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        try {
          return detail.unpack(ErrorInfo.class).getReason();
        } catch (InvalidProtocolBufferException broken) {
          return "REFUSED";
        }
      }
    }
    return switch (failure.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> "UNREACHABLE";
      default -> "REFUSED";
    };
  }

  private static final class Bearer extends CallCredentials {
    private static final Metadata.Key<String> HEADER =
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final Supplier<String> token;

    Bearer(Supplier<String> token) {
      this.token = token;
    }

    @Override
    public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
      if (info.getSecurityLevel() != io.grpc.SecurityLevel.PRIVACY_AND_INTEGRITY) {
        applier.fail(Status.UNAUTHENTICATED.withDescription("a token is not sent without TLS"));
        return;
      }
      executor.execute(
          () -> {
            try {
              Metadata headers = new Metadata();
              headers.put(HEADER, "Bearer " + token.get());
              applier.apply(headers);
            } catch (RuntimeException failure) {
              applier.fail(Status.UNAVAILABLE.withDescription("no token can be had now").withCause(failure));
            }
          });
    }
  }
}
