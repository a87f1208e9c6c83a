package org.civitas.interop;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mosip.commons.khazana.impl.PosixAdapter;
import io.mosip.commons.khazana.spi.ObjectStoreAdapter;
import io.mosip.commons.khazana.util.EncryptionHelper;
import io.mosip.commons.khazana.util.OfflineEncryptionUtil;
import io.mosip.commons.khazana.util.OnlineCryptoUtil;
import io.mosip.commons.packet.audit.AuditLogEntry;
import io.mosip.commons.packet.facade.PacketReader;
import io.mosip.commons.packet.facade.PacketWriter;
import io.mosip.commons.packet.impl.OfflinePacketCryptoServiceImpl;
import io.mosip.commons.packet.impl.OnlinePacketCryptoServiceImpl;
import io.mosip.commons.packet.impl.PacketReaderImpl;
import io.mosip.commons.packet.impl.PacketWriterImpl;
import io.mosip.commons.packet.keeper.PacketKeeper;
import io.mosip.commons.packet.util.IdSchemaUtils;
import io.mosip.commons.packet.util.PacketHelper;
import io.mosip.commons.packet.util.PacketManagerHelper;
import io.mosip.commons.packet.util.PacketValidator;
import io.mosip.kernel.clientcrypto.service.impl.ClientCryptoFacade;
import io.mosip.kernel.clientcrypto.service.impl.ClientCryptoManagerServiceImpl;
import io.mosip.kernel.core.keymanager.spi.KeyStore;
import io.mosip.kernel.crypto.jce.core.CryptoCore;
import io.mosip.kernel.cryptomanager.service.impl.CryptomanagerServiceImpl;
import io.mosip.kernel.cryptomanager.util.CryptomanagerUtils;
import io.mosip.kernel.idobjectvalidator.impl.IdObjectSchemaValidator;
import io.mosip.kernel.keygenerator.bouncycastle.KeyGenerator;
import io.mosip.kernel.keymanagerservice.dto.KeyPairGenerateResponseDto;
import io.mosip.kernel.keymanagerservice.dto.SymmetricKeyRequestDto;
import io.mosip.kernel.keymanagerservice.entity.KeyPolicy;
import io.mosip.kernel.keymanagerservice.helper.KeymanagerDBHelper;
import io.mosip.kernel.keymanagerservice.helper.PrivateKeyDecryptorHelper;
import io.mosip.kernel.keymanagerservice.helper.SessionKeyDecrytorHelper;
import io.mosip.kernel.keymanagerservice.service.KeymanagerService;
import io.mosip.kernel.keymanagerservice.util.KeymanagerUtil;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.ScopeMetadata;
import org.springframework.core.env.MapPropertySource;
import org.springframework.web.client.RestTemplate;

/**
 * MOSIP's packet manager and the working part of its key manager, each class as published, put together by Spring as
 * in their services. What stands in for the rest: an object store in a folder (their own Posix adapter), the table of
 * keys and the HSM (one key pair), the other object stores (none), the audit service (silent).
 */
final class Mosip implements AutoCloseable {
    /** Account of the packet manager in the object store, which is a folder here. */
    private static final String ACCOUNT = "packets";

    final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    final Services services;
    private final Path store;

    Mosip(Path folder, Keys keys) throws Exception {
        services = new Services(keys);
        store = folder.resolve(ACCOUNT);
        context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("mosip", settings(folder)));
        // Their refresh scope is for a configuration server; here each is one object.
        context.setScopeMetadataResolver(definition -> new ScopeMetadata());
        providers();
        stand(context.getBeanFactory(), keys);
        context.register(
                PacketReader.class, PacketWriter.class, PacketReaderImpl.class, PacketWriterImpl.class,
                PacketKeeper.class, PacketValidator.class, PacketManagerHelper.class, IdSchemaUtils.class,
                IdObjectSchemaValidator.class,
                OnlinePacketCryptoServiceImpl.class, OfflinePacketCryptoServiceImpl.class,
                PosixAdapter.class, EncryptionHelper.class, OfflineEncryptionUtil.class, OnlineCryptoUtil.class,
                CryptomanagerServiceImpl.class, CryptomanagerUtils.class, CryptoCore.class, KeyGenerator.class,
                KeymanagerUtil.class, SessionKeyDecrytorHelper.class, PrivateKeyDecryptorHelper.class,
                ClientCryptoManagerServiceImpl.class, ClientCryptoFacade.class);
        context.refresh();
        services.attach(
                context.getBean(CryptomanagerServiceImpl.class), context.getBean(ClientCryptoManagerServiceImpl.class));
    }

    <T> T get(Class<T> kind) {
        return context.getBean(kind);
    }

    /** Where the object store keeps a packet. */
    Path packet(String id) {
        return store.resolve(id + ".zip");
    }

    private Map<String, Object> settings(Path folder) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("packet.manager.account.name", ACCOUNT);
        settings.put("object.store.base.location", folder.toString());
        settings.put("objectstore.adapter.name", "PosixAdapter");
        settings.put("objectstore.crypto.name", "OnlinePacketCryptoServiceImpl");
        settings.put("mosip.commons.packetnames", "id,evidence,optional");
        settings.put("mosip.kernel.registrationcenterid.length", "5");
        settings.put("mosip.kernel.machineid.length", "5");
        settings.put("mosip.kernel.data-key-splitter", "#KEY_SPLITTER#");
        settings.put("mosip.kernel.keygenerator.symmetric-algorithm-name", "AES");
        settings.put("mosip.kernel.keygenerator.symmetric-key-length", "256");
        settings.put("mosip.kernel.keygenerator.asymmetric-algorithm-name", "RSA");
        settings.put("mosip.kernel.keygenerator.asymmetric-key-length", "2048");
        settings.put("mosip.kernel.crypto.symmetric-algorithm-name", "AES/GCM/NoPadding");
        settings.put("mosip.kernel.keymanager.hsm.keystore-type", "PKCS12");
        settings.put("packet.default.source", "id");
        settings.put("mosip.kernel.xsdstorage-uri", services.url("/"));
        settings.put("mosip.kernel.xsdfile", "cbeff.xsd");
        settings.put("CRYPTOMANAGER_ENCRYPT", services.url("/encrypt"));
        settings.put("CRYPTOMANAGER_DECRYPT", services.url("/decrypt"));
        settings.put("mosip.kernel.keymanager-service-CsSign-url", services.url("/cssign"));
        settings.put("mosip.kernel.keymanager-service-csverifysign-url", services.url("/csverifysign"));
        settings.put("mosip.kernel.syncdata-service-get-tpm-publicKey-url", services.url("/machine/"));
        settings.put("IDSCHEMAURL", services.url("/schema"));
        settings.put("config.server.file.storage.uri", services.url("/config"));
        settings.put("registration.processor.identityjson", "identity-mapping.json");
        for (String operation : List.of("opencrvs_new", "new-registration", "crvs_new")) {
            settings.put("mosip.kernel.idobjectvalidator.mandatory-attributes.reg-processor." + operation, "IDSchemaVersion");
        }
        return settings;
    }

    /** Which reader and writer take which sources and processes: <code>provider.packetreader.mosip</code> and its twin. */
    private static void providers() {
        String of = "source:OPENCRVS/CRVS1,process:OPENCRVS_NEW/CRVS_NEW/CRVS_UPDATE/CRVS_DEATH,classname:";
        PacketHelper.getReaderProvider(Map.of("mosip", of + PacketReaderImpl.class.getName()));
        PacketHelper.getWriterProvider(Map.of("mosip", of + PacketWriterImpl.class.getName()));
    }

    private void stand(ConfigurableListableBeanFactory beans, Keys keys) {
        beans.registerSingleton("selfTokenRestTemplate", new RestTemplate());
        beans.registerSingleton("objectMapper", new ObjectMapper());
        beans.registerSingleton("SwiftAdapter", absent(ObjectStoreAdapter.class));
        beans.registerSingleton("S3Adapter", absent(ObjectStoreAdapter.class));
        beans.registerSingleton("auditLogEntry", new AuditLogEntry() {
            @Override
            public String addAudit(String description, String eventId, String eventName, String eventType,
                    String moduleId, String moduleName, String id) {
                return null;
            }
        });
        beans.registerSingleton("keymanagerDBHelper", new KeymanagerDBHelper() {
            @Override
            public io.mosip.kernel.keymanagerservice.entity.KeyStore getKeyAlias(
                    String thumbprint, String names, String application, String reference) {
                var known = get(CryptomanagerUtils.class).getCertificateThumbprintInHex(keys.registration.getCertificate());
                if (!known.equals(thumbprint)) {
                    throw new NoSuchElementException("no key of thumbprint " + thumbprint);
                }
                var row = new io.mosip.kernel.keymanagerservice.entity.KeyStore();
                row.setAlias(reference);
                return row;
            }

            @Override
            public Optional<KeyPolicy> getKeyPolicyFromCache(String application) {
                var policy = new KeyPolicy();
                policy.setAccessAllowed("NA");
                return Optional.of(policy);
            }
        });
        beans.registerSingleton("keyStore", standing(KeyStore.class, (proxy, method, arguments) -> {
            if (method.getName().equals("getAsymmetricKey")) {
                return keys.registration;
            }
            throw new UnsupportedOperationException(method.getName());
        }));
        beans.registerSingleton("keymanagerService", standing(KeymanagerService.class, (proxy, method, arguments) -> {
            switch (method.getName()) {
                case "getCertificate": {
                    var found = new KeyPairGenerateResponseDto();
                    found.setCertificate(keys.certificatePem);
                    return found;
                }
                case "decryptSymmetricKey":
                    return get(SessionKeyDecrytorHelper.class).decryptSessionKey((SymmetricKeyRequestDto) arguments[0]);
                default:
                    throw new UnsupportedOperationException(method.getName());
            }
        }));
        beans.registerAlias("packetReaderImpl", "referenceReaderProviders");
        beans.registerAlias("packetWriterImpl", "referenceWriterProviders");
    }

    private static <T> T standing(Class<T> kind, InvocationHandler handler) {
        return kind.cast(Proxy.newProxyInstance(kind.getClassLoader(), new Class<?>[] {kind}, (proxy, method, arguments) -> {
            switch (method.getName()) {
                case "hashCode": return System.identityHashCode(proxy);
                case "equals": return proxy == arguments[0];
                case "toString": return kind.getSimpleName();
                default: return handler.invoke(proxy, method, arguments);
            }
        }));
    }

    private static <T> T absent(Class<T> kind) {
        return standing(kind, (proxy, method, arguments) -> {
            throw new UnsupportedOperationException(kind + " is not here");
        });
    }

    @Override
    public void close() {
        context.close();
        services.close();
    }
}
