#!/usr/bin/env python3
"""Microsoft Mail through the whole program: users of a postoffice write to X.400 and are written to. A client program is played by
tests/lib/postoffice.py, which shares no line with Posthorn."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import OWN, SITE, Net  # noqa: E402
from posthorn import expect, main, same, wait_for  # noqa: E402


def there_and_back(lab):
    """From a mailbag through London to Tokyo; the answer comes back into the mailbag."""
    net = Net(lab).start()
    net.site.send("ANNA", [OWN + "/TARO"], "Fracht 17", b"Guten Tag,\rdie Kisten sind da.\r", own=SITE,
                  attachments=[("liste.txt", b"eins\r\nzwei\r\n"), ("leer.dat", b"")])
    entry = net.tokyo.wait_mail("taro", 1)[0]
    shown = net.tokyo.show("taro", entry["delivery"])
    expect("Fracht 17" in str(shown), "the subject at Tokyo", shown)
    expect("die Kisten sind da." in str(shown), "the text at Tokyo", shown)
    expect("liste.txt" in str(shown) and "leer.dat" in str(shown), "both attachments' names at Tokyo", shown)
    net.tokyo.send(net.taro, net.ms(SITE + "/ANNA"), "--subject", "Re: Fracht 17", "--text", "Danke, angekommen.")
    header, mail = net.wait_box(net.site, "ANNA", 1)[0]
    same(header.subject, b"Re: Fracht 17", "subject in the mailbag")
    expect(b"Danke, angekommen." in mail.text, "the text in the MAI", mail.text)
    same(mail.sender, OWN + "/TARO", "the sender as the address map says")
    for po in (net.site, net.shadow):
        wait_for(lambda po=po: len(po.leftovers()) <= (1 if po is net.site else 0), "no file left over: %s" % po.leftovers(), 20)
    net.stop()


main(there_and_back)
