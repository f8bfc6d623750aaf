"""Who comes to the demo workshop: names, addresses, cars and habits. No database."""

import unicodedata
from dataclasses import dataclass
from itertools import count


def listed(text):
    return [" ".join(name.split()) for name in text.split(",")]


MEN = listed(
    """
    Daan, Bram, Sem, Lucas, Thijs, Jeroen, Pieter, Sander, Ruben, Wouter, Mohammed,
    Youssef, Emre, Kemal, Ravi, Budi, Tomasz, Piotr, Lars, Nils, Marco, Luca, João,
    Miguel, Andrei, Oliver, Thomas, Patrick, Kevin, Michael, Stefan, Jürgen, Henk,
    Klaas, Sjoerd, Gerrit
    """
)
WOMEN = listed(
    """
    Emma, Sophie, Julia, Lotte, Fleur, Anouk, Marieke, Ingrid, Femke, Sanne, Fatima,
    Naima, Aylin, Elif, Priya, Dewi, Sari, Agnieszka, Katarzyna, Astrid, Freya, Giulia,
    Chiara, Inês, Carmen, Elena, Charlotte, Hannah, Laura, Sarah, Monika, Renate, Wilma,
    Hilda, Aafke, Tineke, Baukje
    """
)
SURNAMES = listed(
    """
    de Jong, Jansen, de Vries, van den Berg, Bakker, Visser, Smit, Meijer, de Boer,
    Mulder, Bos, Vos, Peters, Hendriks, van Dijk, Dekker, Brouwer, de Wit, Dijkstra,
    Smits, Hoekstra, Koster, Prins, Blom, Huisman, Postma, Veenstra, Kramer, Wiersma,
    Bosma, El Amrani, Benali, Yılmaz, Demir, Kaya, Sharma, Wijaya, Santoso, Kowalski,
    Nowak, Larsen, Nilsson, Rossi, Bianchi, Silva, Pereira, Popescu, Schmidt, Müller,
    Weber, Taylor, Walker, O’Brien, Dubois, Lefèvre, García, Torres, Horváth, Nagy,
    Novák
    """
)
STREETS = listed(
    """
    Havenweg, Noorderkade, Zuiderstraat, Kerkstraat, Molenlaan, Stationsweg, Lindelaan,
    Beatrixstraat, Vissersdijk, Oude Turfmarkt, Parallelweg, Schoolstraat, Eikenlaan,
    Wilgenhof, Sluisplein, Kanaalstraat, Meerzicht, Dorpsstraat, Akkerwinde, Zeedijk
    """
)
TOWNS = [
    ("8861", "Harlingen", 9),
    ("8801", "Franeker", 4),
    ("8701", "Bolsward", 2),
    ("8911", "Leeuwarden", 3),
    ("8711", "Workum", 1),
    ("8754", "Makkum", 1),
]
COMPANIES = [
    ("Noordzee Bakery", "bakery"),
    ("Wadden Electrical Installations", "electricians"),
    ("De Boer Plumbing & Heating", "plumbers"),
    ("Harlingen Home Care", "homecare"),
    ("Vissers Fish Wholesale", "fish"),
    ("Lighthouse Cleaning Services", "cleaning"),
    ("Sluis Taxi Company", "taxi"),
    ("Green Dike Gardeners", "gardeners"),
    ("Fries Parcel Couriers", "couriers"),
    ("Kaap Roofing", "roofing"),
    ("Zeezicht Hotel", "hotel"),
    ("Van Dijk Painters", "painters"),
    ("Terp Driving School", "drivingschool"),
    ("Haven Marine Supplies", "marine"),
]
POSITIONS = ["Fleet manager", "Driver", "Office manager"]
VEHICLES = [
    ("VW Golf VII", "M"),
    ("VW Polo", "S"),
    ("VW Passat Variant", "M"),
    ("Opel Corsa", "S"),
    ("Opel Astra", "M"),
    ("Ford Fiesta", "S"),
    ("Ford Focus", "M"),
    ("Renault Clio", "S"),
    ("Renault Mégane", "M"),
    ("Peugeot 208", "S"),
    ("Peugeot 308 SW", "M"),
    ("Citroën C3", "S"),
    ("Toyota Yaris", "S"),
    ("Toyota Corolla", "M"),
    ("Kia Picanto", "S"),
    ("Kia Ceed", "M"),
    ("Hyundai i10", "S"),
    ("Škoda Octavia", "M"),
    ("Seat Leon", "M"),
    ("Fiat 500", "S"),
    ("Volvo V60", "M"),
    ("BMW 318i", "M"),
    ("Audi A3", "M"),
    ("Mercedes-Benz C 180", "M"),
    ("Mazda 3", "M"),
    ("Nissan Qashqai", "M"),
    ("Suzuki Swift", "S"),
    ("Dacia Duster", "M"),
    ("Volvo XC90", "L"),
    ("VW Caravelle", "L"),
]

VANS = [
    ("VW Transporter", "L"),
    ("Ford Transit Custom", "L"),
    ("Mercedes-Benz Vito", "L"),
    ("Renault Trafic", "L"),
    ("Opel Vivaro", "L"),
    ("VW Caddy", "M"),
    ("Renault Kangoo", "M"),
    ("Toyota Proace City", "M"),
]


# How the private customers behave, and how many of fifty do.
HABITS = {"regular": 17, "yearly": 15, "once": 7, "lapsed": 6, "returned": 5}
PLATE_LETTERS = "BDFGHJKLNPRSTXZ"
MAIL_DOMAINS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True)
class Vehicle:
    plate: str
    model: str
    size: str
    odometer: int  # when the demo begins
    daily: int  # kilometres a day

    def note(self, days):
        return f"{self.plate} · {self.model} · {self.odometer + days * self.daily:,} km"


@dataclass(frozen=True)
class Contact:
    name: str
    email: str
    phone: str
    position: str = ""


@dataclass(frozen=True)
class Customer:
    number: int
    contact: Contact
    street: str
    zip: str
    city: str
    habit: str
    vehicles: tuple
    staff: tuple = ()  # a company's contacts

    @property
    def is_company(self):
        return bool(self.staff)


class Town:
    """Makes customers, no two of the same name, plate or telephone number."""

    def __init__(self, rng):
        self.rng = rng
        self.names = [f"{first} {last}" for first in MEN + WOMEN for last in SURNAMES]
        rng.shuffle(self.names)
        self.plates = set()
        self.phones = 0

    def people(self):
        """Customers without end: the companies, then private ones of all habits."""
        for number, row in enumerate(COMPANIES):
            yield self.company(number, *row)
        deck = [habit for habit, share in HABITS.items() for _n in range(share)]
        numbers = count(len(COMPANIES))
        while True:
            self.rng.shuffle(deck)
            for habit in deck:
                yield self.private(next(numbers), habit)

    def private(self, number, habit):
        name = self.names.pop()
        domain = self.rng.choice(MAIL_DOMAINS)
        cars = 2 if habit == "regular" and self.rng.random() < 0.3 else 1
        return Customer(
            number,
            Contact(name, f"{ascii_name(name)}@{domain}", self.phone()),
            *self.address(),
            habit,
            tuple(self.vehicle(VEHICLES) for _car in range(cars)),
        )

    def company(self, number, name, domain):
        staff = [self.employee(domain, position) for position in POSITIONS]
        vans = self.rng.randint(3, 7)
        return Customer(
            number,
            Contact(name, f"office@{domain}.example.com", self.phone()),
            *self.address(),
            "fleet",
            tuple(self.vehicle(VANS) for _van in range(vans)),
            tuple(staff[: self.rng.randint(2, 3)]),
        )

    def employee(self, domain, position):
        name = self.names.pop()
        email = f"{ascii_name(name)}@{domain}.example.com"
        return Contact(name, email, self.phone(), position)

    def address(self):
        zips, cities, weights = zip(*TOWNS, strict=True)
        place = self.rng.choices(range(len(TOWNS)), weights)[0]
        letters = "".join(self.rng.choices(PLATE_LETTERS, k=2))
        street = f"{self.rng.choice(STREETS)} {self.rng.randint(1, 180)}"
        return street, f"{zips[place]} {letters}", cities[place]

    def phone(self):
        """Dutch mobile numbers never begin with 06 0: nobody can be called."""
        self.phones += 1
        number = 1000000 + self.phones * 7919
        return f"+31 6 0{number // 1000000} {number % 1000000:06d}"

    def vehicle(self, models):
        model, size = self.rng.choice(models)
        daily = self.rng.randint(18, 60) if models is VEHICLES else 85
        return Vehicle(
            self.plate(), model, size, self.rng.randrange(9000, 140000, 100), daily
        )

    def plate(self):
        while True:
            letters = self.rng.choices(PLATE_LETTERS, k=3)
            digits = self.rng.randint(100, 999)
            plate = f"{letters[0]}{letters[1]}-{digits}-{letters[2]}"
            if plate not in self.plates:
                self.plates.add(plate)
                return plate


def ascii_name(name):
    """An e-mail address's part: "Jürgen de Vries" becomes "jurgen.devries"."""
    first, _space, last = name.lower().replace("ı", "i").partition(" ")
    plain = unicodedata.normalize("NFKD", f"{first}.{last}")
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c == "."))
