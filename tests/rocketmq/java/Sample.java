// Judges who is online as the vendor's published sample does, in our own words: its rules, and its flaws.
//
// Two texts are behind it: the page that describes status notices, and the code that this page names as its example
// (`MQTTClientStatusNoticeProcessDemo` with its store in memory, edition of 2020). Where the code does something,
// this does the same, and a comment says which sentence of the page or of the code's own comments asks for it.
// What the page asks for and the code leaves out is left out here too:
//
// - Page: of two notices about a client, the one with the greater `time` is the newer one. The code keeps `time`, and
//   never reads it.
// - Code: notices may come twice, so handle them idempotently, apart from this. There is nothing of the kind in it.
// - Code: use a database or Redis, or a restart loses what was known. It keeps a map in memory; with a database the
//   steps would be the same.
//
// server=HOST:PORT topic=T group=G   what to consume; a new group begins with the first message
// tags=connect||tcpclean             what to subscribe to; `*` for all, as the sample's first edition did
// count=N                            end after so many, else with the end of standard input
// threads=20                         that take in, as the official consumer does
// answers=FILE                       where to write what it believes at the end, a line a client:
//                                    `ID online|offline N`, with how many notices of it are kept
// asked=FILE                         about whom, an id a line; else about all that messages had as a key
//
// Says `{"ready":true}`, and ends with a JSON line:
// `{"messages":N,"again":N,"clients":N,"online":N,"ms":...,"cpu_ms":...}`. Here `clients` counts those that have a
// notice left: all others are offline to it, like those that it has never heard of.

import com.alibaba.fastjson2.JSON;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;

public final class Sample {
  /**
   * What was said of a channel. Address and time are kept, and play no part in what is the same. Code: the key of a
   * table of these is client, channel and type.
   */
  private static final class Notice {
    final String channel;
    final String type;
    final String address;
    final Long time;

    Notice(final String channel, final String type, final String address, final Long time) {
      this.channel = channel;
      this.type = type;
      this.address = address;
      this.time = time;
    }

    @Override
    public boolean equals(final Object other) {
      return other instanceof Notice
          && Objects.equals(channel, ((Notice) other).channel)
          && Objects.equals(type, ((Notice) other).type);
    }

    @Override
    public int hashCode() {
      return Objects.hash(channel, type);
    }
  }

  private final int wanted;
  /** About whom it is asked at the end; all that were told of, by the key of their messages, if nobody is named. */
  private final Set<String> clients;
  private final boolean isToldWho;
  private final AtomicLong count = new AtomicLong();
  private final AtomicLong again = new AtomicLong();
  private final CountDownLatch all = new CountDownLatch(1);
  private volatile long began;
  private volatile long beganCpu;
  /** By client, then by channel. */
  private final Map<String, Map<String, Set<Notice>>> kept = new HashMap<>();

  private Sample(final int wanted, final boolean remembersClients, final List<String> asked) {
    this.wanted = wanted;
    clients = remembersClients ? ConcurrentHashMap.newKeySet() : null;
    isToldWho = remembersClients && !asked.isEmpty();
    if (isToldWho) {
      clients.addAll(asked);
    }
  }

  private synchronized void add(final String client, final Notice notice) {
    kept.computeIfAbsent(client, id -> new HashMap<>())
        .computeIfAbsent(notice.channel, id -> new HashSet<>())
        .add(notice);
  }

  /** Reads without a lock, as the sample does. */
  private Set<Notice> get(final String client, final String channel) {
    final var channels = kept.get(client);
    return channels == null ? null : channels.get(channel);
  }

  private synchronized void delete(final String client, final String channel) {
    final var channels = kept.get(client);
    if (channels != null) {
      channels.remove(channel);
      if (channels.isEmpty()) {
        kept.remove(client);
      }
    }
  }

  /** Takes one notice in. Throws whatever goes wrong. */
  private void take(final byte[] body) {
    // Page: the body is JSON with these members. The tag says the type too, and the code does not look at it.
    final var read = JSON.parseObject(body);
    final var client = read.getString("clientId");
    final var channel = read.getString("channelId");
    final var type = read.getString("eventType");
    final var notice =
        new Notice(channel, type, read.getString("clientIp"), read.getLong("time"));
    // Code: the new event is stored first, then all events of this channel are looked at.
    add(client, notice);
    final var notices = get(client, channel);
    if (notices == null || notices.isEmpty()) {
      return;
    }
    var opened = false;
    var other = false;
    for (final var one : notices) {
      // Page: `connect` is a client that came. Code: a notice of any other type is one that it went.
      if ("connect".equals(one.type)) {
        opened = true;
      } else {
        other = true;
      }
    }
    // Page: a channel comes once and goes once, and an end overwrites what its own channel said alone. Code: if both
    // were received, this channel is gone, and what is kept of it can be cleaned up.
    if (opened && other) {
      delete(client, channel);
    }
  }

  private boolean isOnline(final String client) {
    final var channels = kept.get(client);
    // Code: without channels it is certainly not online; with one of which nothing but the opening came, it is; if
    // all have ended, it is not.
    if (channels == null) {
      return false;
    }
    for (final var notices : channels.values()) {
      if (notices.stream().allMatch(one -> "connect".equals(one.type))) {
        return true;
      }
    }
    return false;
  }

  /** Answers what the consumer is to do with these. */
  private ConsumeConcurrentlyStatus consume(
      final List<MessageExt> messages, final ConsumeConcurrentlyContext context) {
    // Whichever thread is first: a moment more or less does not matter.
    if (began == 0) {
      beganCpu = Settings.cpuMs();
      began = System.nanoTime();
    }
    var status = ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    for (final var message : messages) {
      try {
        take(message.getBody());
      } catch (final RuntimeException failed) {
        // Code: whatever went wrong, consume it again later.
        again.incrementAndGet();
        status = ConsumeConcurrentlyStatus.RECONSUME_LATER;
      }
      if (clients != null && !isToldWho && message.getKeys() != null) {
        clients.add(message.getKeys());
      }
    }
    if (count.addAndGet(messages.size()) >= wanted) {
      all.countDown();
    }
    return status;
  }

  private synchronized String told() {
    final var ms = (System.nanoTime() - began) / 1_000_000;
    final var cpu = Settings.cpuMs() - beganCpu;
    return String.format(
        "{\"messages\":%d,\"again\":%d,\"clients\":%d,\"online\":%d,\"ms\":%d,\"cpu_ms\":%d}",
        count.get(),
        again.get(),
        kept.size(),
        kept.keySet().stream().filter(this::isOnline).count(),
        ms,
        cpu);
  }

  /** What it would answer for every client it was told of. */
  private synchronized String answers() {
    final var lines = new StringBuilder();
    for (final var client : new TreeSet<>(clients)) {
      final var channels = kept.getOrDefault(client, Map.of());
      final var notices = channels.values().stream().mapToInt(Set::size).sum();
      lines.append(client).append(isOnline(client) ? " online " : " offline ").append(notices).append('\n');
    }
    return lines.toString();
  }

  public static void main(final String[] arguments) throws Exception {
    final var settings = new Settings(arguments);
    final var answers = settings.text("answers", null);
    final var from = settings.text("asked", null);
    final List<String> asked = from == null ? List.of() : Files.readAllLines(Path.of(from));
    final var sample = new Sample(settings.wanted(), answers != null, asked);
    // Page: judge whether a client went by `tcpclean`, the end of its TCP connection; it may go without `disconnect`.
    // Code: only whether it is online matters here, so `connect` and `tcpclean` are all that is needed.
    final var consumer = settings.consumer(settings.text("tags", "connect||tcpclean"));
    consumer.setConsumeThreadMax(settings.number("threads", 20));
    consumer.setConsumeThreadMin(settings.number("threads", 20));
    consumer.registerMessageListener((MessageListenerConcurrently) sample::consume);
    consumer.start();
    Settings.tell("{\"ready\":true}");
    settings.await(sample.all);
    final var told = sample.told();
    if (answers != null) {
      Files.writeString(Path.of(answers), sample.answers());
    }
    Settings.tell(told);
    Settings.end();
  }
}
