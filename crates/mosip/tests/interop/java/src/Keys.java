package org.civitas.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore.PrivateKeyEntry;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** What MOSIP's key manager would hold: the key pair REGISTRATION/&lt;centre&gt;_&lt;machine&gt;, and the machine's public key. */
final class Keys {
    final String certificatePem;
    final PrivateKeyEntry registration;
    /** Base64url of the machine's public key, as syncdata tells it. */
    final String machine;

    private Keys(String certificatePem, PrivateKeyEntry registration, String machine) {
        this.certificatePem = certificatePem;
        this.registration = registration;
        this.machine = machine;
    }

    /** From <code>registration.key</code> (PKCS#8), <code>registration.crt</code> and <code>machine.pub</code>, in PEM. */
    static Keys read(Path folder) throws IOException, GeneralSecurityException {
        String pem = Files.readString(folder.resolve("registration.crt"));
        Certificate certificate = CertificateFactory.getInstance("X.509")
                .generateCertificate(Files.newInputStream(folder.resolve("registration.crt")));
        byte[] der = der(folder.resolve("registration.key"));
        PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
        String machine = Base64.getUrlEncoder().withoutPadding().encodeToString(der(folder.resolve("machine.pub")));
        return new Keys(pem, new PrivateKeyEntry(key, new Certificate[] {certificate}), machine);
    }

    private static byte[] der(Path pem) throws IOException {
        return Base64.getMimeDecoder().decode(Files.readString(pem).replaceAll("-----[A-Z ]+-----", ""));
    }
}
