package org.civitas.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.mosip.kernel.clientcrypto.dto.TpmSignRequestDto;
import io.mosip.kernel.clientcrypto.dto.TpmSignVerifyRequestDto;
import io.mosip.kernel.clientcrypto.service.spi.ClientCryptoManagerService;
import io.mosip.kernel.cryptomanager.dto.CryptomanagerRequestDto;
import io.mosip.kernel.cryptomanager.service.CryptomanagerService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * The services that the packet manager calls over HTTP: key manager, syncdata, configuration server. The key manager's
 * work is done by its own classes; what stands here is what its controllers do, which is to hand on.
 */
final class Services implements AutoCloseable {
    private final ObjectMapper json = new ObjectMapper();
    private final HttpServer server;
    private final Keys keys;
    private CryptomanagerService crypto;
    private ClientCryptoManagerService machine;
    /** The ID schema that syncdata answers with. */
    volatile String schema = "{}";

    Services(Keys keys) throws IOException {
        this.keys = keys;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    void attach(CryptomanagerService crypto, ClientCryptoManagerService machine) {
        this.crypto = crypto;
        this.machine = machine;
    }

    String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    private void answer(HttpExchange call) throws IOException {
        String path = call.getRequestURI().getPath();
        ObjectNode reply = json.createObjectNode();
        try {
            ObjectNode response = json.createObjectNode();
            switch (path) {
                case "/encrypt":
                    response.put("data", crypto.encrypt(cryptoRequest(call)).getData());
                    break;
                case "/decrypt":
                    response.put("data", crypto.decrypt(cryptoRequest(call)).getData());
                    break;
                case "/cssign": {
                    TpmSignRequestDto request = new TpmSignRequestDto();
                    request.setData(request(call).path("data").asText());
                    response.put("data", machine.csSign(request).getData());
                    break;
                }
                case "/csverifysign": {
                    JsonNode from = request(call);
                    TpmSignVerifyRequestDto request = new TpmSignVerifyRequestDto();
                    request.setData(from.path("data").asText());
                    request.setSignature(from.path("signature").asText());
                    request.setPublicKey(from.path("publicKey").asText());
                    response.put("verified", machine.csVerify(request).isVerified());
                    break;
                }
                case "/schema":
                    response.put("schemaJson", schema);
                    break;
                case "/config/identity-mapping.json":
                    reply.putObject("identity").putObject("IDSchemaVersion").put("value", "IDSchemaVersion");
                    break;
                default:
                    if (!path.startsWith("/machine/")) {
                        throw new IllegalArgumentException("nobody asks for " + path);
                    }
                    response.put("signingPublicKey", keys.machine);
            }
            reply.set("response", response);
            reply.putNull("errors");
        } catch (RuntimeException error) {
            reply.putNull("response");
            reply.putArray("errors").addObject().put("errorCode", "interop").put("message", String.valueOf(error));
        }
        byte[] body = json.writeValueAsBytes(reply);
        call.getResponseHeaders().set("Content-Type", "application/json");
        call.sendResponseHeaders(200, body.length);
        call.getResponseBody().write(body);
        call.close();
    }

    private JsonNode request(HttpExchange call) throws IOException {
        return json.readTree(call.getRequestBody()).path("request");
    }

    private CryptomanagerRequestDto cryptoRequest(HttpExchange call) throws IOException {
        JsonNode from = request(call);
        CryptomanagerRequestDto request = new CryptomanagerRequestDto();
        request.setApplicationId(from.path("applicationId").asText());
        request.setReferenceId(from.path("referenceId").asText());
        request.setData(from.path("data").asText());
        request.setSalt(from.path("salt").asText());
        request.setAad(from.path("aad").asText());
        request.setPrependThumbprint(from.path("prependThumbprint").asBoolean());
        return request;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
