import com.google.gson.Gson;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The rule of the vendor's sample: for each client and channel the set of types that were heard; a client
 * is online if one of its channels was opened and nothing else. Nothing is deleted, so that a notice that
 * comes twice does no harm.
 */
final class AnyOpen {
    private static final class Notice {
        String clientId;
        String channelId;
        String eventType;
    }

    public static void main(String[] arguments) throws Exception {
        Gson gson = new Gson();
        Map<String, Map<String, Set<String>>> clients = new HashMap<>();
        try (BufferedReader lines = Files.newBufferedReader(Path.of(arguments[0]))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Notice notice = gson.fromJson(line, Notice.class);
                clients.computeIfAbsent(notice.clientId, id -> new HashMap<>())
                        .computeIfAbsent(notice.channelId, id -> new HashSet<>(2))
                        .add(notice.eventType);
            }
        }
        StringBuilder online = new StringBuilder();
        clients.forEach((client, channels) -> {
            if (channels.values().stream().anyMatch(Set.of("connect")::equals)) {
                online.append(client).append('\n');
            }
        });
        System.out.print(online);
    }
}
