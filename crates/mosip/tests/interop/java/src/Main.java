package org.civitas.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mosip.commons.packet.dto.Packet;
import io.mosip.commons.packet.dto.PacketInfo;
import io.mosip.commons.packet.dto.packet.PacketDto;
import io.mosip.commons.packet.facade.PacketReader;
import io.mosip.commons.packet.facade.PacketWriter;
import io.mosip.commons.packet.impl.OnlinePacketCryptoServiceImpl;
import io.mosip.commons.packet.impl.PacketReaderImpl;
import io.mosip.commons.packet.keeper.PacketKeeper;
import io.mosip.kernel.core.util.CryptoUtil;
import io.mosip.kernel.core.util.HMACUtils2;
import io.mosip.kernel.cryptomanager.dto.CryptomanagerRequestDto;
import io.mosip.kernel.cryptomanager.service.impl.CryptomanagerServiceImpl;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Does with MOSIP's classes what the lines of <code>jobs.jsonl</code> in a folder say, and writes an answer to each into
 * <code>answers.jsonl</code>. Files are named relative to the folder, which also holds the keys ({@link Keys}).
 *
 * <pre>
 * open    file, id, refId, source, process, schema, documents   an upload, as the registration processor opens it
 * create  request, file, signingKey                             what createPacket makes of a request
 * seal    data, file                                            a credential's form, as the key manager encrypts it
 * unseal  file                                                  the same, decrypted
 * </pre>
 */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> SUB_PACKETS = List.of("id", "evidence", "optional");

    private final Path folder;
    private final Mosip mosip;

    private Main(Path folder, Mosip mosip) {
        this.folder = folder;
        this.mosip = mosip;
    }

    public static void main(String[] arguments) {
        try {
            run(Path.of(arguments[0]).toAbsolutePath());
        } catch (Throwable error) {
            error.printStackTrace();
            // Some of their threads would go on for ever.
            System.exit(1);
        }
        System.exit(0);
    }

    private static void run(Path folder) throws Exception {
        StringBuilder answers = new StringBuilder();
        try (Mosip mosip = new Mosip(folder, Keys.read(folder))) {
            Main jobs = new Main(folder, mosip);
            for (String line : Files.readAllLines(folder.resolve("jobs.jsonl"))) {
                answers.append(JSON.writeValueAsString(jobs.answer(JSON.readTree(line)))).append('\n');
            }
        }
        Files.writeString(folder.resolve("answers.jsonl"), answers);
    }

    private ObjectNode answer(JsonNode job) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            switch (job.path("do").asText()) {
                case "open": open(job, answer); break;
                case "create": create(job, answer); break;
                case "seal": seal(job, answer); break;
                case "unseal": unseal(job, answer); break;
                default: throw new IllegalArgumentException("no such job: " + job.path("do"));
            }
        } catch (Exception error) {
            // What they refuse, and in whose words.
            answer.put("refused", error.getClass().getSimpleName()).put("because", String.valueOf(error.getMessage()));
        }
        return answer;
    }

    private void open(JsonNode job, ObjectNode answer) throws Exception {
        String id = job.path("id").asText();
        String source = job.path("source").asText();
        String process = job.path("process").asText();
        mosip.services.schema = job.path("schema").asText();
        byte[] outer = mosip.get(OnlinePacketCryptoServiceImpl.class)
                .decrypt(job.path("refId").asText(), Files.readAllBytes(folder.resolve(job.path("file").asText())));
        answer.put("outer", hash(outer));
        // The uploader puts what the outer layer held into the object store.
        Files.createDirectories(mosip.packet(id).getParent());
        Files.write(mosip.packet(id), outer);

        ObjectNode inner = answer.putObject("inner");
        for (String name : SUB_PACKETS) {
            PacketInfo wanted = new PacketInfo();
            wanted.setId(id);
            wanted.setPacketName(name);
            wanted.setSource(source);
            wanted.setProcess(process);
            // Fetched, decrypted, its hash and its signature checked.
            Packet packet = mosip.get(PacketKeeper.class).getPacket(wanted);
            inner.put(name, hash(packet.getPacket()));
        }
        // All at once: without their caches, each question to the facade opens the whole packet anew.
        answer.set("fields", JSON.valueToTree(mosip.get(PacketReaderImpl.class).getAll(id, source, process)));
        PacketReader reader = mosip.get(PacketReader.class);
        answer.set("metaInfo", JSON.valueToTree(reader.getMetaInfo(id, source, process, false)));
        answer.set("audits", JSON.valueToTree(reader.getAudits(id, source, process, false)));
        ObjectNode documents = answer.putObject("documents");
        for (JsonNode name : job.path("documents")) {
            var document = reader.getDocument(id, name.asText(), source, process);
            documents.put(name.asText(), document == null ? null : hash(document.getDocument()));
        }
        answer.put("valid", reader.validatePacket(id, source, process));
    }

    private void create(JsonNode job, ObjectNode answer) throws Exception {
        PacketDto request = JSON.treeToValue(job.path("request"), PacketDto.class);
        List<PacketInfo> made = mosip.get(PacketWriter.class).createPacket(request);
        if (made == null) {
            throw new IllegalStateException("createPacket answered null");
        }
        Files.copy(mosip.packet(request.getId()), folder.resolve(job.path("file").asText()));
        // The key by which their packets are signed was made for this run.
        Files.copy(Path.of(System.getProperty("user.dir"), ".mosipkeys", "reg.pub"),
                folder.resolve(job.path("signingKey").asText()));
        answer.set("packets", JSON.valueToTree(made));
    }

    private void seal(JsonNode job, ObjectNode answer) throws Exception {
        CryptomanagerRequestDto request = request(CryptoUtil.encodeToURLSafeBase64(job.path("data").asText().getBytes()));
        String sealed = mosip.get(CryptomanagerServiceImpl.class).encrypt(request).getData();
        Files.writeString(folder.resolve(job.path("file").asText()), sealed);
    }

    private void unseal(JsonNode job, ObjectNode answer) throws Exception {
        CryptomanagerRequestDto request = request(Files.readString(folder.resolve(job.path("file").asText())));
        String opened = mosip.get(CryptomanagerServiceImpl.class).decrypt(request).getData();
        answer.put("data", new String(CryptoUtil.decodeURLSafeBase64(opened)));
    }

    private static CryptomanagerRequestDto request(String data) {
        CryptomanagerRequestDto request = new CryptomanagerRequestDto();
        request.setApplicationId("PARTNER");
        request.setReferenceId("crvs");
        request.setData(data);
        return request;
    }

    private static String hash(byte[] bytes) throws Exception {
        return HMACUtils2.digestAsPlainText(bytes);
    }
}
