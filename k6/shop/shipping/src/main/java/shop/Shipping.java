// SPDX-License-Identifier: Apache-2.0
package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Shipping costs, in Java under the OpenTelemetry agent: the distance from PostgreSQL, the delivery time from dispatch.
 * Faults: cpu_saturation burns CPU here; timeout makes dispatch hang, and this service gives up after a second.
 */
public final class Shipping {
    private static final Logger LOG = Logger.getLogger("shipping");
    private static final String[] FORWARDED = {"x-anomaly-type", "x-anomaly-label", "x-anomaly-root-cause", "x-anomaly-msg"};
    private static final Duration DISPATCH_TIMEOUT = Duration.ofSeconds(1);
    private static final int CONNECTIONS = 4;
    private static final long BURN_MILLIS = 80;

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final BlockingQueue<Connection> pool = new ArrayBlockingQueue<>(CONNECTIONS);
    private final CpuBurner burner = new CpuBurner(Double.parseDouble(env("CPU_SHARE", "0.4")));

    private static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    private void connect() throws SQLException {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(System.getenv("JDBC_URL"));
        for (int i = 0; i < CONNECTIONS; i++)
            pool.add(source.getConnection());
    }

    private double distance(int city) throws SQLException, InterruptedException {
        Connection connection = pool.take();
        try (PreparedStatement query = connection.prepareStatement("SELECT km FROM cities WHERE id = ?")) {
            query.setInt(1, city);
            try (ResultSet rows = query.executeQuery()) {
                return rows.next() ? rows.getDouble(1) : 1000.0;
            }
        } finally {
            pool.add(connection);
        }
    }

    private String deliveryTime(HttpExchange exchange, int city) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(System.getenv("DISPATCH_URL") + "/eta?city=" + city))
            .timeout(DISPATCH_TIMEOUT);
        for (String name : FORWARDED) {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null)
                request.header(name, value);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString()).body();
    }

    private static int parameter(HttpExchange exchange, String name, int otherwise) {
        String query = exchange.getRequestURI().getQuery();
        for (String pair : query == null ? new String[0] : query.split("&"))
            if (pair.startsWith(name + "="))
                try {
                    return Integer.parseInt(pair.substring(name.length() + 1));
                } catch (NumberFormatException e) {
                    return otherwise;
                }
        return otherwise;
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private void quote(HttpExchange exchange) throws IOException {
        try (exchange) {
            int city = parameter(exchange, "city", 1);
            if ("cpu_saturation".equals(exchange.getRequestHeaders().getFirst("x-anomaly-type")))
                burner.burn(BURN_MILLIS);
            double cost = 2 + distance(city) * 0.01 * parameter(exchange, "weight", 1);
            String eta = deliveryTime(exchange, city);
            answer(exchange, 200, String.format(java.util.Locale.ROOT, "{\"city\":%d,\"cost\":%.2f,\"eta\":%s}", city, cost, eta));
        } catch (HttpTimeoutException e) {
            LOG.log(Level.SEVERE, "dispatch did not answer in " + DISPATCH_TIMEOUT.toMillis() + " ms");
            answer(exchange, 504, "{\"error\":\"dispatch timed out\"}");
        } catch (Exception e) {
            LOG.log(Level.SEVERE, "quote failed", e);
            answer(exchange, 502, "{\"error\":\"quote failed\"}");
        }
    }

    public static void main(String[] arguments) throws Exception {
        Shipping shipping = new Shipping();
        shipping.connect();
        InetSocketAddress address = new InetSocketAddress(env("HOST", "127.0.0.1"), Integer.parseInt(System.getenv("PORT")));
        HttpServer server = HttpServer.create(address, 128);
        server.createContext("/quote", shipping::quote);
        server.createContext("/health", exchange -> {
            try (exchange) {
                answer(exchange, 200, "\"ok\"");
            }
        });
        server.setExecutor(Executors.newFixedThreadPool(16));
        // Registered after the agent's own hook ran would be too late to answer; requests in flight get two seconds.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(2)));
        server.start();
        LOG.info("listening on " + address.getPort());
    }
}
